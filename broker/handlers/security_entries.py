"""Settings of listeners and security as DescribeConfigs shows them. What is secret is there, without a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from broker.security.tls import is_text
from broker.server.listener import Listener

if TYPE_CHECKING:
    from broker.security.sasl import Sasl
    from broker.security.tls import Tls
    from broker.state import BrokerState


def security_entries(broker: BrokerState) -> Mapping[str, tuple[str, str | None]]:
    """(type, value) by Kafka's name; values of type password are None."""
    options, endpoints = broker.options, broker.endpoints
    advertised = ",".join(f"{endpoint.listener}://{endpoint.address}" for endpoint in endpoints)
    entries: dict[str, tuple[str, str | None]] = {
        "advertised.listeners": ("string", advertised),
        "connection.failed.authentication.delay.ms": ("int", str(options.failed_authentication_delay_ms)),
        "listener.security.protocol.map": (
            "string",
            ",".join(f"{endpoint.listener}:{endpoint.protocol}" for endpoint in endpoints),
        ),
        "listeners": ("string", listened_on(options.listeners) if options.listeners else advertised),
    }
    if options.tls is not None:
        entries |= tls_entries("", options.tls)
    if options.sasl is not None:
        entries |= sasl_entries("", options.sasl)
    for listener in options.listeners:
        prefix = f"listener.name.{listener.title.lower()}."
        if listener.tls is not None:
            entries |= tls_entries(prefix, listener.tls)
        if listener.sasl is not None:
            entries |= sasl_entries(prefix, listener.sasl)
    return entries


def listened_on(listeners: tuple[Listener, ...]) -> str:
    """As they were asked for: a port of 0 is any."""
    return ",".join(
        f"{listener.title}://{f'[{listener.host}]' if ':' in listener.host else listener.host}:{listener.port}"
        for listener in listeners
    )


def tls_entries(prefix: str, tls: Tls) -> dict[str, tuple[str, str | None]]:
    entries: dict[str, tuple[str, str | None]] = {
        "ssl.client.auth": ("string", tls.client_authentication),
        "ssl.key.password": ("password", None),
        "ssl.keystore.certificate.chain": ("password", None),
        "ssl.keystore.key": ("password", None),
        "ssl.keystore.type": ("string", "PEM"),
        "ssl.principal.mapping.rules": ("string", ",".join(tls.principal_mapping_rules)),
    }
    if not is_text(tls.certificate):
        entries["ssl.keystore.location"] = ("string", str(tls.certificate))
    if tls.client_authorities is not None and not is_text(tls.client_authorities):
        entries["ssl.truststore.location"] = ("string", str(tls.client_authorities))
    return {prefix + name: entry for name, entry in entries.items()}


def sasl_entries(prefix: str, sasl: Sasl) -> dict[str, tuple[str, str | None]]:
    entries: dict[str, tuple[str, str | None]] = {
        "connections.max.reauth.ms": ("long", str(sasl.max_reauth_ms)),
        "sasl.enabled.mechanisms": ("list", ",".join(sasl.mechanisms)),
        "sasl.jaas.config": ("password", None),
    }
    return {prefix + name: entry for name, entry in entries.items()}
