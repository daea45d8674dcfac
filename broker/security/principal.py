"""Who asks: the identity that a connection has proven, or none.

Source: `KafkaPrincipal` of Apache Kafka.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Principal(NamedTuple):
    """An identity; `str` of it is what ACLs and super users name, e.g. "User:alice"."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


class NoPrincipalError(Exception):
    """Who has proven something, but cannot be named."""


ANONYMOUS: Final = Principal("User", "ANONYMOUS")
"""Whoever connects without proving who they are."""
