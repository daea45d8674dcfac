"""Rules from distinguished names to principals, with the examples of KIP-371."""

from __future__ import annotations

import pytest

from broker.errors import BrokerError
from broker.security.principal import NoPrincipalError
from broker.security.principal_mapping import PrincipalMapping

KIP_371 = (
    "RULE:^CN=(.*?),OU=ServiceUsers.*$/$1/",
    "RULE:^CN=(.*?),OU=(.*?),O=(.*?),L=(.*?),ST=(.*?),C=(.*?)$/$1@$2/L",
    "RULE:^cn=(.*?),ou=(.*?),dc=(.*?),dc=(.*?)$/$1@$2/U",
    "RULE:^.*[Cc][Nn]=([a-zA-Z0-9.]*).*$/$1/U",
    "DEFAULT",
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("CN=Duke,OU=ServiceUsers,O=Org,C=US", "Duke"),
        ("CN=Duke,OU=SME,O=mycp,L=Fulton,ST=MD,C=US", "duke@sme"),
        ("cn=duke,ou=sme,dc=mycp,dc=com", "DUKE@SME"),
        ("CN=duke,OU=JavaSoft,O=Sun Microsystems", "DUKE"),
        ("OU=JavaSoft,O=Sun Microsystems", "OU=JavaSoft,O=Sun Microsystems"),
    ],
)
def test_first_rule_that_applies_names_the_principal(name: str, expected: str) -> None:
    assert PrincipalMapping(KIP_371).name(name) == expected


def test_pattern_has_to_match_the_whole_name() -> None:
    with pytest.raises(NoPrincipalError, match="CN=a,OU=b"):
        PrincipalMapping(["RULE:CN=(.)/$1/"]).name("CN=a,OU=b")


def test_slash_and_dollar_are_meant_behind_a_backslash() -> None:
    assert PrincipalMapping([r"RULE:CN=a\/(.)/\$$1\/x/"]).name("CN=a/b") == "$b/x"


@pytest.mark.parametrize("rule", ["", "default", "RULE:", "RULE:a/b", "RULE:a/b/X", "RULE:(/b/", "RULE:a/$1/", "a/b/"])
def test_text_that_is_no_rule_is_refused(rule: str) -> None:
    with pytest.raises(BrokerError, match="principal mapping rule"):
        PrincipalMapping([rule])
