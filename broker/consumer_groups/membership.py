"""Consumer groups: brings clock and ids to their pure state machine, carries out its effects, answers when durable."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from kio.schema.errors import ErrorCode

from broker.consumer_groups import commit, expiry, heartbeat, leave, persisted
from broker.consumer_groups.description import ConsumerGroupDescription, describe
from broker.consumer_groups.group import ConsumerGroup
from broker.consumer_groups.member import JOINING, MemberState
from broker.consumer_groups.pace import heartbeat_interval_ms
from broker.consumer_groups.persisted import GroupImage
from broker.consumer_groups.requests import GroupRefusedError, HeartbeatRequest, HeartbeatResult
from broker.consumer_groups.topic_directory import subscriptions
from broker.consumer_groups.validation import validate
from broker.groups.effects import Schedule, Timer, TimerEffect
from broker.groups.kind import GroupListing, Retention
from broker.groups.requests import JoinRequest, JoinResult, MemberIdentity, SyncRequest, SyncResult
from broker.journal.entry import KeyValue

if TYPE_CHECKING:
    from broker.groups.coordinator import GroupCoordinator

PROTOCOL_TYPE = "consumer"
NOT_STORED = ErrorCode.coordinator_not_available


class ConsumerGroups:
    """The `GroupKind` of KIP-848; part of its coordinator, which holds the groups."""

    def __init__(self, coordinator: GroupCoordinator) -> None:
        self.coordinator = coordinator
        self.written: dict[str, asyncio.Future[bool]] = {}
        """Group id → outcome of what was written of it last, while that is open."""

    # -- life --------------------------------------------------------------------------------------------------------
    def load(self, group_id: str, image: GroupImage) -> None:
        """Makes a group as its records say."""
        settings = self.coordinator.configs.of(group_id)
        group, effects = persisted.from_image(
            group_id, image, self.coordinator.clock(), session_timeout_ms=settings.session_timeout_ms
        )
        self.coordinator.groups[group_id] = group
        self.carry_out(group, effects)

    # -- the protocol ------------------------------------------------------------------------------------------------
    async def consumer_heartbeat(self, request: HeartbeatRequest) -> HeartbeatResult:
        """Answers when everything that led to the answer is durable."""
        try:
            validate(request)
            result = self.leave_by_heartbeat(request) if request.member_epoch < JOINING else self.beat(request)
        except GroupRefusedError as refusal:
            return HeartbeatResult(error=refusal.code, message=refusal.message)
        written = self.written.get(request.group_id)
        if written is not None and not await asyncio.shield(written):
            return HeartbeatResult(error=NOT_STORED, message="The group's state could not be stored.")
        return result

    def beat(self, request: HeartbeatRequest) -> HeartbeatResult:
        coordinator = self.coordinator
        settings = coordinator.configs.of(request.group_id)
        group, ended = self.find_or_make(request)
        member, tell, effects = heartbeat.heartbeat(group, settings, request, coordinator.topics, coordinator.clock())
        coordinator.groups[group.group_id] = group
        self.carry_out(group, effects, before=ended)
        return HeartbeatResult(
            member_id=member.member_id,
            member_epoch=member.progress.epoch,
            heartbeat_interval_ms=heartbeat_interval_ms(
                settings.heartbeat_interval_ms,
                self.members(),
                waiting=member.progress.state is MemberState.UNRELEASED,
            ),
            assigned=member.progress.assigned if tell else None,
        )

    def leave_by_heartbeat(self, request: HeartbeatRequest) -> HeartbeatResult:
        group = self.require(request.group_id)
        self.carry_out(group, leave.leave(group, request, self.coordinator.topics))
        return HeartbeatResult(member_id=request.member_id, member_epoch=request.member_epoch)

    def find_or_make(self, request: HeartbeatRequest) -> tuple[ConsumerGroup, list[KeyValue]]:
        """The group, not among the coordinator's yet if it is new; and the tombstones of what it takes the place of."""
        found = self.coordinator.groups.get(request.group_id)
        if isinstance(found, ConsumerGroup) or request.member_epoch != JOINING:
            return self.require(request.group_id), []
        group = ConsumerGroup(group_id=request.group_id)
        if found is None:
            return group, []
        kind = self.coordinator.kind_of(found)
        if not kind.is_empty(found):
            raise GroupRefusedError(ErrorCode.group_id_not_found, f"Group {request.group_id} is not a consumer group.")
        return group, kind.bury(found)

    def require(self, group_id: str) -> ConsumerGroup:
        """Raises GroupRefusedError: GROUP_ID_NOT_FOUND."""
        group = self.coordinator.groups.get(group_id)
        if group is None:
            raise GroupRefusedError(ErrorCode.group_id_not_found, f"Group {group_id} not found.")
        if not isinstance(group, ConsumerGroup):
            raise GroupRefusedError(ErrorCode.group_id_not_found, f"Group {group_id} is not a consumer group.")
        return group

    def members(self) -> int:
        """Of all consumer groups. How often it is called follows from how many there are, see `pace`."""
        groups = self.coordinator.groups.values()
        return sum(len(group.members) for group in groups if isinstance(group, ConsumerGroup))

    # -- members that speak the classic protocol ---------------------------------------------------------------------
    async def join(self, group: ConsumerGroup, request: JoinRequest) -> JoinResult:
        return JoinResult(error=ErrorCode.inconsistent_group_protocol, member_id=request.member_id)

    async def sync(self, group: ConsumerGroup, request: SyncRequest) -> SyncResult:
        return SyncResult(error=ErrorCode.unknown_member_id)

    def heartbeat(self, group: ConsumerGroup, who: MemberIdentity, generation: int) -> ErrorCode:
        return ErrorCode.unknown_member_id

    def leave(self, group: ConsumerGroup, members: Sequence[MemberIdentity]) -> list[ErrorCode]:
        return [ErrorCode.unknown_member_id] * len(members)

    # -- what it is --------------------------------------------------------------------------------------------------
    def listing(self, group: ConsumerGroup) -> GroupListing:
        return GroupListing(
            group_id=group.group_id, type=group.type, state=group.state.value, protocol_type=PROTOCOL_TYPE
        )

    def describe(self, group_id: str) -> ConsumerGroupDescription:
        return describe(self.require(group_id))

    def is_empty(self, group: ConsumerGroup) -> bool:
        return not group.members

    def is_idle(self, group: ConsumerGroup) -> bool:
        return not group.members

    def topics_in_use(self, group: ConsumerGroup) -> frozenset[str] | None:
        return frozenset(name for names in subscriptions(group, self.coordinator.topics).values() for name in names)

    def retention(self, group: ConsumerGroup) -> Retention | None:
        """Offsets age from their commit, but for those of topics that members read."""
        return Retention(keep=(self.topics_in_use(group) or frozenset()).__contains__)

    def check_commit(
        self, group: ConsumerGroup, who: MemberIdentity, generation: int, *, version: int, transactional: bool
    ) -> ErrorCode:
        return commit.check_commit(group, who, generation, version=version, transactional=transactional)

    def check_fetch(self, group: ConsumerGroup, member_id: str | None, epoch: int) -> ErrorCode:
        return commit.check_fetch(group, member_id, epoch)

    def bury(self, group: ConsumerGroup) -> list[KeyValue]:
        return persisted.tombstones(group)

    # -- plumbing ----------------------------------------------------------------------------------------------------
    def timer_fired(self, group: ConsumerGroup, timer: Timer) -> None:
        coordinator = self.coordinator
        self.carry_out(group, expiry.timer_fired(group, timer, coordinator.topics, coordinator.clock()))

    def carry_out(self, group: ConsumerGroup, effects: Iterable[TimerEffect], before: Sequence[KeyValue] = ()) -> None:
        """Sets and cancels timers, and writes what has changed: all of one event in one batch, `before` first."""
        coordinator = self.coordinator
        for effect in effects:
            if isinstance(effect, Schedule):
                coordinator.timers.schedule((group.group_id, effect.timer), effect.at_ms)
            else:
                coordinator.timers.cancel((group.group_id, effect.timer))
        records = [*before, *persisted.take_records(group)]
        if records:
            self.write(group.group_id, records)
        coordinator.alarm.arm()

    def write(self, group_id: str, records: Sequence[KeyValue]) -> None:
        """Later answers of the group wait for it."""
        written = self.written[group_id] = self.coordinator.journal.write(group_id, records)
        written.add_done_callback(lambda done: self.forget(group_id, done))

    def forget(self, group_id: str, written: asyncio.Future[bool]) -> None:
        if self.written.get(group_id) is written:
            del self.written[group_id]
