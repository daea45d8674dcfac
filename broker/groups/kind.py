"""What the coordinator needs to know of a group, whatever its protocol is.

There are two kinds: classic groups (`broker.groups.classic`) and consumer groups (`broker.consumer_groups.membership`).
They share the space of ids, the offsets, the timers and the log; a group of one kind becomes one of the other where
Apache Kafka lets it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, TypeVar

from kio.schema.errors import ErrorCode

from broker.groups.requests import JoinRequest, JoinResult, MemberIdentity, SyncRequest, SyncResult
from broker.groups.timer import Timer
from broker.journal.entry import KeyValue

GroupType = Literal["classic", "consumer"]


class AnyGroup(Protocol):
    """A group of either kind, as a thing that has an id."""

    type: ClassVar[GroupType]

    @property
    def group_id(self) -> str: ...

    @property
    def members(self) -> Mapping[str, Any]:
        """By id."""
        ...


G = TypeVar("G", bound=AnyGroup, contravariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupListing:
    """What ListGroups shows; the names are Kafka's."""

    group_id: str
    type: GroupType
    state: str
    protocol_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Which of a group's offsets age, and since when: ms since the epoch, None: since each one's commit."""

    base_ms: int | None = None
    keep: Callable[[str], bool] = lambda topic: False
    """Topics whose offsets do not age."""


class GroupKind(Protocol[G]):
    """All groups of one kind. Every method is told which group; only `timer_fired` and those that a member's request
    leads to change it."""

    def listing(self, group: G) -> GroupListing: ...

    def is_empty(self, group: G) -> bool:
        """Nobody is a member: it may be deleted."""
        ...

    def is_idle(self, group: G) -> bool:
        """It is empty, and nobody is about to join: without offsets it may be forgotten."""
        ...

    def topics_in_use(self, group: G) -> frozenset[str] | None:
        """Topics that members read; None where that cannot be known."""
        ...

    def retention(self, group: G) -> Retention | None:
        """None: no offset of the group ages now."""
        ...

    def check_commit(
        self, group: G, who: MemberIdentity, generation: int, *, version: int, transactional: bool
    ) -> ErrorCode: ...

    def check_fetch(self, group: G, member_id: str | None, epoch: int) -> ErrorCode: ...

    def bury(self, group: G) -> list[KeyValue]:
        """Ends a group that is empty or becomes one of the other kind; returns the tombstones to write."""
        ...

    def timer_fired(self, group: G, timer: Timer) -> None: ...

    # -- the classic protocol ----------------------------------------------------------------------------------------
    async def join(self, group: G, request: JoinRequest) -> JoinResult: ...

    async def sync(self, group: G, request: SyncRequest) -> SyncResult: ...

    def heartbeat(self, group: G, who: MemberIdentity, generation: int) -> ErrorCode: ...

    def has_news(self, group: G, who: MemberIdentity, generation: int) -> bool:
        """Whether a heartbeat would be told anything; changes nothing."""
        ...

    def leave(self, group: G, members: Sequence[MemberIdentity]) -> list[ErrorCode]: ...
