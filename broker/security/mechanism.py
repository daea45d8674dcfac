"""The server's side of a SASL mechanism as a sans-I/O conversation.

A conversation takes the client's tokens one by one. It answers each with a Challenge or, at the end, with Accepted;
it raises RejectedError where the client has not proven who it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeAlias


class Challenge(NamedTuple):
    """What to say to the client, who then says more."""

    token: bytes


class Accepted(NamedTuple):
    """The client is who it says it is."""

    user: str
    token: bytes = b""
    """The last word to the client."""
    expires_ms: int | None = None
    """When the proof ends, ms since the epoch; None: it does not."""


class RejectedError(Exception):
    """The client is not believed. The message is for it and tells nothing it could use."""


class Conversation(Protocol):
    """One authentication of one connection."""

    def step(self, token: bytes) -> Challenge | Accepted:
        """Raises RejectedError."""
        ...


Mechanism: TypeAlias = Callable[[], Conversation]
"""Begins a conversation."""


def invalid_credentials(mechanism: str) -> RejectedError:
    """The one answer to an unknown user and to a wrong password."""
    return RejectedError(
        f"Authentication failed during authentication due to invalid credentials with SASL mechanism {mechanism}"
    )
