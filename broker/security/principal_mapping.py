"""From the distinguished name of a client's certificate to the name of its principal.

    RULE:^CN=(.*?),OU=ServiceUsers.*$/$1/      the pattern must match the whole name; $1 is its first group
    RULE:^CN=(.*?),.*$/$1@example/L            L or U at the end: in lower or upper case
    DEFAULT                                    the distinguished name as it is

The first rule that applies wins. Source: `SslPrincipalMapper` of Apache Kafka (KIP-371).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from broker.errors import BrokerError
from broker.security.principal import NoPrincipalError

RULE = re.compile(r"RULE:((?:\\.|[^\\/])*)/((?:\\.|[^\\/])*)/([LU]?)")
RULES = re.compile(rf"\s*(?:{RULE.pattern}|DEFAULT|[^,]+)\s*")
GROUP = re.compile(r"\\(.)|\$(\d)")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; a pattern of None is DEFAULT."""

    pattern: re.Pattern[str] | None
    replacement: str = ""
    case: str = ""

    def apply(self, distinguished_name: str) -> str | None:
        """The name, or None if the rule does not apply."""
        if self.pattern is None:
            return distinguished_name
        match = self.pattern.fullmatch(distinguished_name)
        if match is None:
            return None
        # Java's replacement: $1 is a group, a backslash takes the meaning from what follows.
        name = GROUP.sub(lambda part: part[1] or (match[int(part[2])] or ""), self.replacement)
        return name.lower() if self.case == "L" else name.upper() if self.case == "U" else name


class PrincipalMapping:
    """The rules of a listener in their order. Raises BrokerError for a text that is no rule."""

    def __init__(self, rules: Sequence[str]) -> None:
        self.rules = tuple(parse(text.strip()) for text in rules)

    def name(self, distinguished_name: str) -> str:
        """Raises NoPrincipalError."""
        for rule in self.rules:
            name = rule.apply(distinguished_name)
            if name is not None:
                return name
        raise NoPrincipalError(f"no principal mapping rule applies to {distinguished_name!r}")


def rules_of(text: str) -> list[str]:
    """The rules of Kafka's `ssl.principal.mapping.rules`: commas between them, and inside of them as well."""
    return [found[0].strip() for found in RULES.finditer(text)]


def parse(text: str) -> Rule:
    if text == "DEFAULT":
        return Rule(None)
    parts = RULE.fullmatch(text)
    if parts is None:
        raise BrokerError(
            f"principal mapping rule {text!r} is neither DEFAULT nor of the form RULE:pattern/replacement/[LU]"
        )
    pattern, replacement, case = parts.groups()
    try:
        compiled = re.compile(pattern.replace("\\/", "/"))
    except re.error as error:
        raise BrokerError(f"principal mapping rule {text!r}: the pattern is no regular expression: {error}") from error
    for group in GROUP.finditer(replacement):
        if group[2] is not None and int(group[2]) > compiled.groups:
            raise BrokerError(f"principal mapping rule {text!r}: the pattern has no group {group[2]}")
    return Rule(compiled, replacement, case)
