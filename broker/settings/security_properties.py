"""Kafka's properties of TLS, SASL and authorization whose values are put otherwise here, and what is refused.

Nothing of them is passed over in silence: it counts, or it is refused with what to do instead.
Source: `SslConfigs`, `BrokerSecurityConfigs`, `JaasContext` of Apache Kafka 4.2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any, Final

from broker.settings.jaas import login_module, plain_users

STORES: Final = ("ssl.keystore", "ssl.truststore")
JAVA_STORE = re.compile(r"\.(jks|p12|pfx|keystore|truststore|bcfks)$", re.IGNORECASE)
CONVERT = {
    "ssl.keystore": "openssl pkcs12 -in STORE.p12 -out server.pem -nodes (of JKS first: keytool -importkeystore "
    "-srckeystore STORE.jks -destkeystore STORE.p12 -deststoretype PKCS12), then ssl.keystore.type=PEM and "
    "ssl.keystore.location=server.pem",
    "ssl.truststore": "keytool -list -rfc -keystore STORE > clients.pem, then ssl.truststore.type=PEM and "
    "ssl.truststore.location=clients.pem",
}
LOCATIONS: Final[Mapping[str, str]] = MappingProxyType(
    {"ssl.keystore.location": "tls.certificate", "ssl.truststore.location": "tls.client_authorities"}
)
AUTHORIZER = "authorizer.class.name"
JAAS = re.compile(r"(plain|scram[-.]sha[-.](?:256|512)|oauthbearer|gssapi)\.sasl\.jaas\.config")
CALLBACK = re.compile(r"(?:[a-z0-9.-]+\.)?sasl\.server\.callback\.handler\.class")
TOKEN_VALIDATOR = "OAuthBearerValidatorCallbackHandler"
KERBEROS = "Kerberos is not spoken here; use SCRAM-SHA-512, which needs no server of its own, or OAUTHBEARER"
NAME_THE_LISTENER = "write listener.name.<listener>.<mechanism>.sasl.jaas.config, as Kafka asks for it, or sasl.users"
REFUSED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "sasl.kerberos.*": KERBEROS,
        "ssl.*store.password": "stores are PEM and have none; the password of an encrypted key is ssl.key.password",
        "sasl.jaas.config": NAME_THE_LISTENER,
        "*.sasl.jaas.config": NAME_THE_LISTENER,
        "principal.builder.class": "classes of Java cannot be loaded; ssl.principal.mapping.rules says how names of "
        "certificates become principals",
        "ssl.cipher.suites": "the suites are those of the system's OpenSSL, whose own configuration narrows them",
        "ssl.protocol": "TLS 1.2 and 1.3 are spoken, no others",
        "ssl.enabled.protocols": "TLS 1.2 and 1.3 are spoken, no others; TLSv1.2,TLSv1.3 may be said",
    }
)
"""Patterns of names, and what to do instead."""


def is_put_otherwise(name: str, *, of_listener: bool = False) -> bool:
    """Whether `otherwise` knows the property, here or behind `listener.name.<listener>.`"""
    if name in LOCATIONS or name in {*(f"{store}.type" for store in STORES), "ssl.enabled.protocols"}:
        return True
    if of_listener and JAAS.fullmatch(name) is not None:
        return True
    return CALLBACK.fullmatch(name) is not None or (name == AUTHORIZER and not of_listener)


def otherwise(name: str, value: str) -> dict[str, Any]:
    """Values by settings' names. Raises ValueError, which tells no secret."""
    store = next((one for one in STORES if name.startswith(one)), "")
    if name in LOCATIONS:
        if JAVA_STORE.search(value):
            raise ValueError(f"stores must be PEM: {CONVERT[store]}")
        return {LOCATIONS[name]: value}
    if store:
        if value.upper() != "PEM":
            raise ValueError(f"stores must be PEM: {CONVERT[store]}")
        return {}
    if name == AUTHORIZER:
        return {"authorizer": authorizer(value)}
    jaas = JAAS.fullmatch(name)
    if jaas is not None:
        return of_jaas(jaas[1], value)
    if name == "ssl.enabled.protocols":
        if {one.strip() for one in value.split(",")} != {"TLSv1.2", "TLSv1.3"}:
            raise ValueError(f"{REFUSED[name]}")
        return {}
    if not value.endswith(f".{TOKEN_VALIDATOR}"):
        raise ValueError(
            f"classes of Java cannot be loaded, but for {TOKEN_VALIDATOR}; say with sasl.users, sasl.users_file or "
            "sasl.oauth.jwks whom to believe"
        )
    return {}


def authorizer(value: str) -> bool:
    """Kafka's own authorizer is the one there is; nothing is none."""
    from broker.security.authorizer import KAFKA_CLASS  # most brokers need none

    if value not in ("", KAFKA_CLASS):
        raise ValueError(f"expected {KAFKA_CLASS}, whose rules are obeyed, or nothing; other classes cannot run here")
    return bool(value)


def of_jaas(mechanism: str, value: str) -> dict[str, Any]:
    """What a mechanism's login module says of users: of SCRAM they are stored, of OAUTHBEARER nobody knows them."""
    if mechanism == "gssapi":
        raise ValueError(KERBEROS)
    if mechanism == "plain":
        return {"sasl.users": plain_users(value)}
    login_module(value)
    return {}


def cure(name: str) -> str | None:
    """What to do instead of a property that is refused; None: it is not."""
    return next((instead for pattern, instead in REFUSED.items() if fnmatchcase(name, pattern)), None)


def is_secret(name: str) -> bool:
    """Whether the value of a property that is no setting must not be shown."""
    return name.endswith(("jaas.config", "password", ".key"))
