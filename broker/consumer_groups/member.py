"""A member of a consumer group: who it is, what it is to own, and how far it has come to that.

Each of the three is a record of its own in `__consumer_offsets`, and immutable: `ConsumerGroup` replaces them.
Source: `ConsumerGroupMember` and `MemberState` of Apache Kafka.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from broker.consumer_groups.partitions import NONE, Partitions
from broker.groups.member import Protocol

JOINING = 0
"""Epoch of a member that has not been given one; a client that (re)joins says it."""
LEAVING = -1
"""Epoch by which a client says that it leaves."""
AWAY = -2
"""Epoch by which a static member says that it will be back; the coordinator keeps it meanwhile."""

Viewer: TypeAlias = tuple[str, str]
"""A principal's text and its host, as Kafka prints it."""
ANYBODY: Final[Viewer] = ("", "")


class MemberState(Enum):
    """The value is the one in the record."""

    STABLE = 0
    """It is where its epoch says."""
    UNREVOKED = 1
    """It still owns partitions that it has to give up, and stays at its epoch until it does."""
    UNRELEASED = 2
    """It is at its target's epoch, but others still own partitions of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassicSide:
    """Of a member that speaks the classic protocol in this group; its session timeout is its own."""

    session_timeout_ms: int
    protocols: tuple[Protocol, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What the member said about itself. `regex` None and "" are both: none."""

    instance_id: str | None = None
    rack_id: str | None = None
    client_id: str = ""
    client_host: str = ""
    principal: str = ""
    """Who beats for it, where that counts: its expression matches what they may describe. "" where it does not."""
    rebalance_timeout_ms: int = -1
    """How long it may take to give up partitions."""
    topics: frozenset[str] = frozenset()
    regex: str | None = None
    assignor: str | None = None
    """The server-side assignor it votes for, None: any."""
    classic: ClassicSide | None = None
    """None: it speaks the consumer protocol."""

    @property
    def viewer(self) -> Viewer:
        """Who sees the topics that the member's expression matches."""
        return (self.principal, self.client_host) if self.principal else ANYBODY


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the member has come. What it owns is `assigned` and `revoking`; the latter it is to give up."""

    epoch: int = JOINING
    previous_epoch: int = JOINING
    """The answer that told `epoch` may be lost: the member then comes with this one."""
    state: MemberState = MemberState.STABLE
    assigned: Partitions = NONE
    revoking: Partitions = NONE

    def reconciled(self, target_epoch: int) -> bool:
        """Whether it owns what the target of that epoch gives it."""
        return self.state is MemberState.STABLE and self.epoch == target_epoch


@dataclass(slots=True, kw_only=True)
class ConsumerMember:
    """Owned and mutated by its `ConsumerGroup` only, but for its session's deadline."""

    member_id: str
    profile: Profile
    progress: Progress
    target: Partitions = NONE
    session_timeout_ms: int = 0
    session_deadline_ms: int = 0
    asked_to_rejoin: bool = False
    """Of a classic member: a heartbeat told it to, and it has not come yet."""
