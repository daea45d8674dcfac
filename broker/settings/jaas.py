"""JAAS entries as Kafka's properties have them: a login module, a control flag, options, a semicolon.

    org.apache.kafka.common.security.plain.PlainLoginModule required user_alice="secret";

Source: `JaasConfig` and `PlainLoginModule` of Apache Kafka.
"""

from __future__ import annotations

import re

TOKEN = re.compile(r"""\s*(?:"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|([^\s=;"']+)|([=;]))""", re.DOTALL)
FLAGS = ("required", "requisite", "sufficient", "optional")
USER = "user_"
EXPECTED = 'expected MODULE required NAME="VALUE" …;'


def plain_users(text: str) -> dict[str, str]:
    """Passwords by user name, of a PlainLoginModule. Its own `username` and `password` are for connections between
    brokers and count for nothing. Raises ValueError, without a word of what the text holds."""
    module, options = login_module(text)
    if not module.endswith("PlainLoginModule"):
        raise ValueError(f"{module} is not PlainLoginModule")
    return {name.removeprefix(USER): value for name, value in options.items() if name.startswith(USER)}


def login_module(text: str) -> tuple[str, dict[str, str]]:
    """Its name and options. Raises ValueError."""
    words = list(tokens(text))
    if len(words) < 3 or words[1].lower() not in FLAGS or words[-1] != ";":
        raise ValueError(EXPECTED)
    options: dict[str, str] = {}
    assignments = words[2:-1]
    if len(assignments) % 3 or any(sign != "=" for sign in assignments[1::3]):
        raise ValueError(EXPECTED)
    options = dict(zip(assignments[::3], assignments[2::3]))
    return words[0], options


def tokens(text: str) -> list[str]:
    found: list[str] = []
    at, text = 0, text.strip()
    while at < len(text):
        token = TOKEN.match(text, at)
        if token is None:
            raise ValueError(EXPECTED)
        quoted = token[1] if token[1] is not None else token[2]
        found.append(re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else token[3] or token[4])
        at = token.end()
    return found
