"""Names of certificates; expected texts are what X500Principal.getName() of Java gives."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from broker.security.distinguished_name import subject_of
from tests.broker.security.authority import CN, OU, Attribute, Authority, C, O


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.new()


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ([(CN, "alice")], "CN=alice"),
        ([(C, "DE"), (O, "Example, Inc."), (OU, "orders"), (CN, "alice")], "CN=alice,OU=orders,O=Example\\, Inc.,C=DE"),
        ([(CN, ' a+b"c\\d<e>f;g ')], 'CN=\\ a\\+b\\"c\\\\d\\<e\\>f\\;g\\ '),
        ([(CN, "#1")], "CN=\\#1"),
        ([(CN, "zoë")], "CN=zoë"),
        (
            [(NameOID.EMAIL_ADDRESS, "a@b"), (CN, "alice")],
            "CN=alice,1.2.840.113549.1.9.1=#1603614062",
        ),
        (
            [
                (NameOID.DOMAIN_COMPONENT, "example"),
                (NameOID.USER_ID, "u1"),
                (NameOID.STATE_OR_PROVINCE_NAME, "Kent"),
                (NameOID.LOCALITY_NAME, "Deal"),
                (NameOID.STREET_ADDRESS, "High St"),
            ],
            "STREET=High St,L=Deal,ST=Kent,UID=u1,DC=example",
        ),
    ],
)
def test_subject_is_named_as_java_does(authority: Authority, subject: list[Attribute], expected: str) -> None:
    assert subject_of(authority.sign(subject).der) == expected


@given(name=st.text(st.characters(codec="utf-8", exclude_categories=("Cc",)), min_size=1, max_size=20))
def test_subject_agrees_with_an_independent_reader(authority: Authority, name: str) -> None:
    """cryptography escapes by RFC 4514, which differs in nothing a reader would see."""
    identity = authority.sign([(O, "o"), (CN, name)])
    found = x509.Name.from_rfc4514_string(subject_of(identity.der))
    assert found.get_attributes_for_oid(CN)[0].value == name


@given(st.binary(max_size=80))
def test_what_is_no_certificate_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError):
        subject_of(content)


def test_certificate_that_is_cut_is_refused(authority: Authority) -> None:
    der = authority.sign([(CN, "alice")]).der
    for size in range(0, len(der), 7):
        with pytest.raises(ValueError):
            subject_of(der[:size])
