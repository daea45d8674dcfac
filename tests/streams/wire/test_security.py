"""SASL conversations, and security out of librdkafka's properties."""

from __future__ import annotations

from typing import Any

import pytest

from streams.errors import ConfigError
from streams.wire import AuthenticationError, Sasl, Security, Tls
from streams.wire.sasl import converse

RFC_7677_NONCE = "rOprNGfwEbeRWgbNEkqO"
RFC_7677_SERVER_FIRST = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"


def pencil() -> Sasl:
    return Sasl(mechanism="SCRAM-SHA-256", username="user", password="pencil")


def test_scram_sha_256_says_what_the_rfc_says() -> None:
    """The example exchange of RFC 7677, section 3."""
    conversation = converse(pencil(), nonce=lambda: RFC_7677_NONCE)
    assert next(conversation) == b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    assert conversation.send(RFC_7677_SERVER_FIRST) == (
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    )
    with pytest.raises(StopIteration):
        conversation.send(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")


def test_scram_server_without_the_password_is_not_believed() -> None:
    conversation = converse(pencil(), nonce=lambda: RFC_7677_NONCE)
    next(conversation)
    conversation.send(RFC_7677_SERVER_FIRST)
    with pytest.raises(AuthenticationError, match="does not know the password"):
        conversation.send(b"v=AAAA")


@pytest.mark.parametrize("message", [b"", b"r=other,s=W22Z,i=4096", b"r=rOprNGfwEbeRWgbNEkqOx,i=4096", b"e=no"])
def test_scram_malformed_first_message_is_refused(message: bytes) -> None:
    conversation = converse(pencil(), nonce=lambda: RFC_7677_NONCE)
    next(conversation)
    with pytest.raises(AuthenticationError, match="malformed"):
        conversation.send(message)


def test_security_nothing_said_is_plain_text() -> None:
    assert Security.from_client_config({}) == Security()


def test_security_reads_librdkafkas_properties() -> None:
    security = Security.from_client_config(
        {
            "security.protocol": "SASL_SSL",
            "sasl.mechanisms": "SCRAM-SHA-512",
            "sasl.username": "u",
            "sasl.password": "secret",
            "ssl.ca.location": "/ca.pem",
            "ssl.endpoint.identification.algorithm": "none",
        }
    )
    assert security == Security(
        tls=Tls(authorities="/ca.pem", check_hostname=False),
        sasl=Sasl(mechanism="SCRAM-SHA-512", username="u", password="secret"),
    )
    assert "secret" not in repr(security)


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"security.protocol": "tls"}, "security.protocol"),
        ({"security.protocol": "sasl_ssl", "sasl.mechanism": "GSSAPI"}, "sasl.mechanism"),
        ({"security.protocol": "sasl_plaintext", "sasl.mechanism": "PLAIN"}, "sasl.username"),
        ({"security.protocol": "sasl_plaintext", "sasl.mechanism": "PLAIN", "sasl.username": "u"}, "sasl.password"),
    ],
)
def test_security_unusable_properties_are_named(config: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        Security.from_client_config(config)


def test_tls_missing_certificates_are_named() -> None:
    with pytest.raises(ConfigError, match=r"ssl\.ca\.location"):
        Tls(authorities="/nowhere/ca.pem").context()
