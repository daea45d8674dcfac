"""Whom a quota is for, and which quotas there are.

Source: `ClientQuotaControlManager`, `QuotaConfig` of Apache Kafka; KIP-546, KIP-612.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

USER, CLIENT_ID, IP = "user", "client-id", "ip"
KINDS = (USER, CLIENT_ID, IP)
Entity: TypeAlias = frozenset[tuple[str, str | None]]
"""(kind, name) pairs: a user, a client id, both, or an address; the name None is the default of the kind."""

CLIENT_KEYS = ("producer_byte_rate", "consumer_byte_rate", "request_percentage", "controller_mutation_rate")
FRACTIONAL = frozenset(("request_percentage", "controller_mutation_rate"))
KEYS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({IP: ("connection_creation_rate",)})
"""Quotas by kind of entity; others have `CLIENT_KEYS`."""


class QuotaError(Exception):
    """What is wrong with an entity or a quota; the message is fit for the client."""


def entity_of(pairs: Iterable[tuple[str, str | None]]) -> Entity:
    """Raises QuotaError. Of a kind that is named twice the last counts."""
    parts = dict(pairs)
    if not parts:
        raise QuotaError("Invalid empty client quota entity")
    for kind, name in parts.items():
        if kind not in KINDS:
            raise QuotaError(f"Unhandled client quota entity type: {kind}")
        if name == "":
            raise QuotaError(f"Empty {kind} not supported")
    if IP in parts:
        if len(parts) > 1:
            raise QuotaError("Invalid quota entity combination, IP entity should not be combined with User or ClientId")
        check_address(parts[IP])
    return frozenset(parts.items())


def check_address(address: str | None) -> None:
    """Kafka looks names up; here only addresses and localhost are known."""
    if address is None or address == "localhost":
        return
    import ipaddress  # seldom needed

    try:
        ipaddress.ip_address(address)
    except ValueError:
        raise QuotaError(f"{address} is not a valid IP or resolvable host.") from None


def check_quota(entity: Entity, key: str, value: float) -> None:
    """Raises QuotaError."""
    keys = next((KEYS[kind] for kind, _ in entity if kind in KEYS), CLIENT_KEYS)
    if key not in keys:
        raise QuotaError(f"Invalid configuration key {key}")
    if not value > 0:
        raise QuotaError(f"Quota {key} must be greater than 0")
    if key not in FRACTIONAL and not float(value).is_integer():
        raise QuotaError(f"{key} cannot be a fractional value.")
