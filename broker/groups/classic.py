"""Classic groups: brings clock and futures to their pure state machine, and carries out its effects."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from kio.schema.errors import ErrorCode

from broker.groups import description, expiry, heartbeat, leave, persisted, rebalance, sessions
from broker.groups.coordinator import NOT_STORED
from broker.groups.description import GroupDescription
from broker.groups.effects import Cancel, Effect, JoinAnswer, Persist, Schedule, SyncAnswer
from broker.groups.group import Group
from broker.groups.join import join
from broker.groups.kind import GroupListing, Retention
from broker.groups.requests import JoinRequest, JoinResult, MemberIdentity, SyncRequest, SyncResult
from broker.groups.state import GroupState
from broker.groups.subscription import subscribed_topics
from broker.groups.sync import sync
from broker.groups.timer import Timer, TimerKind
from broker.groups.waiting import WaitingRequests
from broker.journal.entry import KeyValue
from broker.offsets.group_metadata import GroupMetadata
from broker.offsets.record_key import GroupKey

if TYPE_CHECKING:
    from broker.groups.coordinator import GroupCoordinator


class ClassicGroups:
    """The `GroupKind` of the classic protocol; part of its coordinator, which holds the groups."""

    def __init__(self, coordinator: GroupCoordinator) -> None:
        self.coordinator = coordinator
        self.joins: WaitingRequests[JoinResult] = WaitingRequests()
        self.syncs: WaitingRequests[SyncResult] = WaitingRequests()

    # -- life --------------------------------------------------------------------------------------------------------
    def create(self, group_id: str) -> Group:
        group = Group(group_id=group_id, state_since_ms=self.coordinator.clock())
        self.coordinator.groups[group_id] = group
        return group

    def load(self, group_id: str, metadata: GroupMetadata) -> None:
        """Makes a group as its record says, and starts the members' sessions anew."""
        group, effects = persisted.from_metadata(group_id, metadata, self.coordinator.clock())
        self.coordinator.groups[group_id] = group
        self.carry_out(group, effects)

    def adopt(self, group: Group, tombstones: Sequence[KeyValue], *, rebalance_now: bool) -> asyncio.Future[bool]:
        """Takes over a group that was of the other kind, and whose end as such is written with its beginning: the
        future is that of the journal."""
        coordinator, now_ms = self.coordinator, self.coordinator.clock()
        coordinator.groups[group.group_id] = group
        record = (GroupKey(group.group_id).encode(), persisted.to_metadata(group).encode())
        written = coordinator.journal.write(group.group_id, [*tombstones, record])
        effects: list[Effect] = [sessions.start(member, now_ms) for member in group.members.values()]
        if rebalance_now:
            effects += rebalance.prepare(group, coordinator.settings, now_ms)
        self.carry_out(group, effects)
        return written

    def cancel_waiting(self) -> None:
        self.joins.cancel_all()
        self.syncs.cancel_all()

    # -- the protocol ------------------------------------------------------------------------------------------------
    async def join(self, group: Group, request: JoinRequest) -> JoinResult:
        """Waits until the group begins a generation with this member, or refuses it."""
        ticket, future = self.joins.open()
        self.carry_out(group, join(group, self.coordinator.settings, request, ticket, self.coordinator.clock()))
        self.forget_if_unused(group)
        return await future

    async def sync(self, group: Group, request: SyncRequest) -> SyncResult:
        """Waits for the leader's assignment."""
        ticket, future = self.syncs.open()
        self.carry_out(group, sync(group, request, ticket, self.coordinator.clock()))
        return await future

    def heartbeat(self, group: Group, who: MemberIdentity, generation: int) -> ErrorCode:
        return heartbeat.heartbeat(group, who, generation, self.coordinator.clock())

    def has_news(self, group: Group, who: MemberIdentity, generation: int) -> bool:
        return heartbeat.news(group, who, generation) is not ErrorCode.none

    def leave(self, group: Group, members: Sequence[MemberIdentity]) -> list[ErrorCode]:
        """Removes members; one code each, in their order."""
        codes: list[ErrorCode] = []
        for who in members:
            code, effects = leave.leave(group, self.coordinator.settings, who, self.coordinator.clock())
            self.carry_out(group, effects)
            codes.append(code)
        self.forget_if_unused(group)
        return codes

    # -- what it is --------------------------------------------------------------------------------------------------
    def listing(self, group: Group) -> GroupListing:
        return GroupListing(
            group_id=group.group_id,
            type=group.type,
            state=group.state.value,
            protocol_type=group.protocol_type or "",
        )

    def describe(self, group: Group) -> GroupDescription:
        return description.describe(group)

    def is_empty(self, group: Group) -> bool:
        return group.is_in(GroupState.EMPTY)

    def is_idle(self, group: Group) -> bool:
        return group.is_in(GroupState.EMPTY) and not group.pending

    def topics_in_use(self, group: Group) -> frozenset[str] | None:
        return frozenset() if group.is_in(GroupState.EMPTY) else subscribed_topics(group)

    def retention(self, group: Group) -> Retention | None:
        """An empty group's offsets age from when it became empty, a simple group's from their commit; while a consumer
        group lives, only those of topics it no longer reads do."""
        if group.protocol_type is None:
            return Retention()
        if group.is_in(GroupState.EMPTY):
            return Retention(base_ms=group.state_since_ms)
        topics = subscribed_topics(group)
        if topics is None or not group.is_in(GroupState.STABLE):
            return None
        return Retention(keep=topics.__contains__)

    def check_commit(
        self, group: Group, who: MemberIdentity, generation: int, *, version: int, transactional: bool
    ) -> ErrorCode:
        return heartbeat.check_commit(group, who, generation, self.coordinator.clock(), transactional=transactional)

    def check_fetch(self, group: Group, member_id: str | None, epoch: int) -> ErrorCode:
        return ErrorCode.none

    # -- end ---------------------------------------------------------------------------------------------------------
    def bury(self, group: Group) -> list[KeyValue]:
        """Whoever waits is told to come again: with members in it, the group becomes one of the other kind."""
        effects: list[Effect] = [Cancel(rebalance.JOIN_PHASE), Cancel(rebalance.SYNC_PHASE)]
        effects += [Cancel(Timer(TimerKind.PENDING, member_id)) for member_id in group.pending]
        for member in group.members.values():
            effects.append(Cancel(sessions.session_timer(member)))
            effects += rebalance.answer_join(
                member, JoinResult(error=ErrorCode.rebalance_in_progress, member_id=member.member_id)
            )
            effects += rebalance.answer_sync(member, SyncResult(error=ErrorCode.rebalance_in_progress))
        group.enter(GroupState.DEAD, self.coordinator.clock())
        self.carry_out(group, effects)
        return [(GroupKey(group.group_id).encode(), None)]

    def forget_if_unused(self, group: Group) -> None:
        """A group that never began (its only join was refused or withdrawn) leaves no trace."""
        if group.generation == 0 and self.is_idle(group) and group.group_id not in self.coordinator.offsets.groups:
            self.coordinator.groups.pop(group.group_id, None)

    # -- plumbing ----------------------------------------------------------------------------------------------------
    def timer_fired(self, group: Group, timer: Timer) -> None:
        coordinator = self.coordinator
        self.carry_out(group, expiry.timer_fired(group, coordinator.settings, timer, coordinator.clock()))
        self.forget_if_unused(group)

    def carry_out(self, group: Group, effects: Iterable[Effect]) -> None:
        """Executes effects in order; answers behind a `Persist` leave when it is durable."""
        coordinator = self.coordinator
        durable: asyncio.Future[bool] | None = None
        for effect in effects:
            match effect:
                case Schedule(timer, at_ms):
                    coordinator.timers.schedule((group.group_id, timer), at_ms)
                case Cancel(timer):
                    coordinator.timers.cancel((group.group_id, timer))
                case Persist():
                    record = persisted.to_metadata(group).encode()
                    durable = coordinator.journal.write(group.group_id, [(GroupKey(group.group_id).encode(), record)])
                case JoinAnswer(ticket, result):
                    if durable is None:
                        self.joins.answer(ticket, result)
                    else:
                        self.joins.answer_when(ticket, durable, result, JoinResult(error=NOT_STORED))
                case SyncAnswer(ticket, result):
                    if durable is None:
                        self.syncs.answer(ticket, result)
                    else:
                        self.syncs.answer_when(ticket, durable, result, SyncResult(error=NOT_STORED))
        coordinator.alarm.arm()
        coordinator.held.tell(group.group_id)
