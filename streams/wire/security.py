"""How a connection proves who is at either end: TLS, SASL, both or neither."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from msgspec import Struct

from streams.errors import ConfigError

SaslMechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
MECHANISMS: tuple[SaslMechanism, ...] = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
PROTOCOLS = ("plaintext", "ssl", "sasl_plaintext", "sasl_ssl")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Certificates as paths of PEM files. `authorities` None trusts what the system trusts."""

    authorities: str | None = None
    certificate: str | None = None
    key: str | None = None
    key_password: str | None = field(default=None, repr=False)
    verify: bool = True
    check_hostname: bool = True

    def context(self) -> ssl.SSLContext:
        """Raises ConfigError: a file is missing or is not what it should be."""
        try:
            context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=self.authorities)
            if self.certificate is not None:
                context.load_cert_chain(self.certificate, self.key, self.key_password)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                f"cannot read the TLS certificates ({error}): check ssl.ca.location, ssl.certificate.location and "
                "ssl.key.location",
                setting="client_config",
            ) from error
        context.check_hostname = self.verify and self.check_hostname
        context.verify_mode = ssl.CERT_REQUIRED if self.verify else ssl.CERT_NONE
        return context


@dataclass(frozen=True, slots=True, kw_only=True)
class Sasl:
    """A name and password, and how they are shown."""

    mechanism: SaslMechanism
    username: str
    password: str = field(repr=False)


class Security(Struct, frozen=True, kw_only=True):
    """What a connection does after TCP is up. Neither part: plain text without authentication."""

    tls: Tls | None = None
    sasl: Sasl | None = None

    @classmethod
    def from_client_config(cls, config: Mapping[str, Any]) -> Security:
        """Reads the librdkafka properties that the data clients are configured with, so that there is one place to say.

        Raises:
            ConfigError: a protocol or mechanism this client does not speak, or a user name or password is missing.
        """
        protocol = str(config.get("security.protocol", "plaintext")).lower()
        if protocol not in PROTOCOLS:
            raise unfit("security.protocol", protocol, PROTOCOLS)
        return cls(
            tls=tls_from(config) if protocol.endswith("ssl") else None,
            sasl=sasl_from(config) if protocol.startswith("sasl") else None,
        )


def tls_from(config: Mapping[str, Any]) -> Tls:
    return Tls(
        authorities=config.get("ssl.ca.location"),
        certificate=config.get("ssl.certificate.location"),
        key=config.get("ssl.key.location"),
        key_password=config.get("ssl.key.password"),
        verify=truth(config.get("enable.ssl.certificate.verification", True)),
        check_hostname=str(config.get("ssl.endpoint.identification.algorithm", "https")).lower() != "none",
    )


def sasl_from(config: Mapping[str, Any]) -> Sasl:
    named = str(config.get("sasl.mechanism", config.get("sasl.mechanisms", ""))).upper()
    if named not in MECHANISMS:
        raise unfit("sasl.mechanism", named, MECHANISMS)
    mechanism = named
    username, password = config.get("sasl.username"), config.get("sasl.password")
    if not username or password is None:
        missing = "sasl.password" if username else "sasl.username"
        raise ConfigError(f"{missing} is missing in client_config: {mechanism} needs it", setting="client_config")
    return Sasl(mechanism=mechanism, username=str(username), password=str(password))


def truth(value: object) -> bool:
    return value if isinstance(value, bool) else str(value).lower() in ("true", "1", "yes")


def unfit(name: str, value: str, known: tuple[str, ...]) -> ConfigError:
    return ConfigError(
        f"{name}={value!r} in client_config: the group member speaks {', '.join(known)}", setting="client_config"
    )
