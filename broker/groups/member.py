"""One member of a group, as its coordinator knows it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Protocol:
    """An assignment strategy a member can speak, with its opaque metadata (subscription, user data; may be large)."""

    name: str
    metadata: bytes


@dataclass(slots=True, kw_only=True)
class Member:
    """Owned and mutated by its `Group` only.

    `join_ticket` and `sync_ticket` name the request that waits for an answer, None when none does: a member with a
    join ticket has joined the coming generation, and its session does not run out while it waits.
    """

    member_id: str
    instance_id: str | None
    client_id: str
    client_host: str
    session_timeout_ms: int
    rebalance_timeout_ms: int
    protocols: tuple[Protocol, ...]
    assignment: bytes = b""
    join_ticket: int | None = None
    sync_ticket: int | None = None
    fresh: bool = False
    """True until the member got its first generation: it may not know its id yet, so a hung join must end some day."""
    session_deadline_ms: int = 0

    def metadata(self, protocol: str | None) -> bytes:
        """The member's metadata for a protocol, empty if it does not speak it."""
        for candidate in self.protocols:
            if candidate.name == protocol:
                return candidate.metadata
        return b""

    @property
    def waiting(self) -> bool:
        return self.join_ticket is not None or self.sync_ticket is not None
