"""Consumer groups: brings clock and ids to their pure state machine, carries out its effects, answers when durable."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from kio.schema.errors import ErrorCode

from broker.consumer_groups import classic_member, commit, conversion, expiry, heartbeat, leave, persisted
from broker.consumer_groups.description import ConsumerGroupDescription, describe
from broker.consumer_groups.group import ConsumerGroup
from broker.consumer_groups.member import JOINING, ConsumerMember, MemberState
from broker.consumer_groups.pace import heartbeat_interval_ms
from broker.consumer_groups.persisted import GroupImage
from broker.consumer_groups.requests import GroupRefusedError, HeartbeatRequest, HeartbeatResult
from broker.consumer_groups.settings import ConsumerGroupSettings
from broker.consumer_groups.topic_directory import subscriptions
from broker.consumer_groups.validation import validate
from broker.groups.effects import Schedule, TimerEffect
from broker.groups.group import Group
from broker.groups.kind import GroupListing, Retention
from broker.groups.requests import JoinRequest, JoinResult, MemberIdentity, SyncRequest, SyncResult
from broker.groups.timer import Timer
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
        if not await self.is_stored(request.group_id):
            return HeartbeatResult(error=NOT_STORED, message="The group's state could not be stored.")
        return result

    def beat(self, request: HeartbeatRequest) -> HeartbeatResult:
        coordinator = self.coordinator
        settings = coordinator.configs.of(request.group_id)
        group, begun = self.find_or_make(request, settings)
        member, tell, effects = heartbeat.heartbeat(group, settings, request, coordinator.topics, coordinator.clock())
        # Accepted: now a new group is one, and a classic one of the same id is none any more.
        found = coordinator.groups.get(group.group_id)
        ended = [] if found is None or found is group else coordinator.kind_of(found).bury(found)
        coordinator.groups[group.group_id] = group
        self.carry_out(group, [*begun, *effects], before=ended)
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

    def find_or_make(
        self, request: HeartbeatRequest, settings: ConsumerGroupSettings
    ) -> tuple[ConsumerGroup, list[TimerEffect]]:
        """The group, not among the coordinator's yet if it is new or becomes what a classic group was; then with what
        is to be done for it to begin."""
        found = self.coordinator.groups.get(request.group_id)
        if isinstance(found, ConsumerGroup) or request.member_epoch != JOINING:
            return self.require(request.group_id), []
        if not isinstance(found, Group) or self.coordinator.classic.is_empty(found):
            return ConsumerGroup(group_id=request.group_id), []
        converted = conversion.upgraded(found, settings, self.coordinator.topics, self.coordinator.clock())
        if converted is None:
            raise GroupRefusedError(ErrorCode.group_id_not_found, f"Group {request.group_id} is not a consumer group.")
        return converted

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
        coordinator = self.coordinator
        settings = coordinator.configs.of(group.group_id)
        try:
            result, effects = classic_member.join(group, settings, request, coordinator.topics, coordinator.clock())
        except GroupRefusedError as refusal:
            return JoinResult(error=refusal.code, member_id=request.member_id)
        # A static member of the classic protocol may have taken the place of the last one of the other.
        self.carry_out(group, effects, rebalance_now=False)
        if not await self.is_stored(group.group_id):
            return JoinResult(error=NOT_STORED, member_id=request.member_id)
        return result

    async def sync(self, group: ConsumerGroup, request: SyncRequest) -> SyncResult:
        coordinator = self.coordinator
        try:
            assignment, effects = classic_member.sync(group, request, coordinator.topics, coordinator.clock())
            self.carry_out(group, effects)
            member = group.members[request.member_id]
            if group.epoch > member.progress.epoch and member.progress.state is not MemberState.UNREVOKED:
                self.carry_out(group, classic_member.ask_to_rejoin(member, coordinator.clock()))
                return SyncResult(error=ErrorCode.rebalance_in_progress)
        except GroupRefusedError as refusal:
            return SyncResult(error=refusal.code)
        if not await self.is_stored(group.group_id):
            return SyncResult(error=NOT_STORED)
        return SyncResult(
            protocol_type=request.protocol_type, protocol_name=request.protocol_name, assignment=assignment
        )

    def heartbeat(self, group: ConsumerGroup, who: MemberIdentity, generation: int) -> ErrorCode:
        try:
            code, effects = classic_member.heartbeat(group, who, generation, self.coordinator.clock())
        except GroupRefusedError as refusal:
            return refusal.code
        self.carry_out(group, effects)
        return code

    def has_news(self, group: ConsumerGroup, who: MemberIdentity, generation: int) -> bool:
        return classic_member.has_news(group, who, generation)

    def leave(self, group: ConsumerGroup, members: Sequence[MemberIdentity]) -> list[ErrorCode]:
        """Removes members of either protocol; one code each, in their order."""
        codes: list[ErrorCode] = []
        gone: dict[str, ConsumerMember] = {}
        for who in members:
            try:
                member = classic_member.find_leaving(group, who)
                if member.member_id in gone:
                    raise GroupRefusedError(ErrorCode.unknown_member_id, "It has left by this request.")
            except GroupRefusedError as refusal:
                codes.append(refusal.code)
            else:
                gone[member.member_id] = member
                codes.append(ErrorCode.none)
        if gone:
            self.carry_out(group, leave.remove(group, list(gone.values()), self.coordinator.topics))
        return codes

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

    def carry_out(
        self,
        group: ConsumerGroup,
        effects: Iterable[TimerEffect],
        before: Sequence[KeyValue] = (),
        *,
        rebalance_now: bool = True,
    ) -> None:
        """Sets and cancels timers, and writes what has changed: all of one event in one batch, `before` first.

        If none but classic members are left by it, the group is a classic one from here on, and they rebalance.
        """
        coordinator = self.coordinator
        for effect in effects:
            if isinstance(effect, Schedule):
                coordinator.timers.schedule((group.group_id, effect.timer), effect.at_ms)
            else:
                coordinator.timers.cancel((group.group_id, effect.timer))
        if conversion.is_due_to_downgrade(group, coordinator.configs.of(group.group_id)):
            self.downgrade(group, rebalance_now=rebalance_now)
            return
        keys = list(group.unsaved)
        records = [*before, *persisted.take_records(group)]
        if records:
            written = coordinator.journal.write(group.group_id, records)
            written.add_done_callback(lambda done: None if done.result() else group.mark_again(keys))
            self.follow(group.group_id, written)
        coordinator.alarm.arm()
        coordinator.held.tell(group.group_id)

    def downgrade(self, group: ConsumerGroup, *, rebalance_now: bool) -> None:
        coordinator = self.coordinator
        for member_id in group.members:
            for effect in heartbeat.stop_timers(member_id):
                coordinator.timers.cancel((group.group_id, effect.timer))
        classic = conversion.downgraded(group, coordinator.topics, coordinator.clock())
        tombstones = persisted.tombstones(group)
        self.follow(group.group_id, coordinator.classic.adopt(classic, tombstones, rebalance_now=rebalance_now))

    async def is_stored(self, group_id: str) -> bool:
        """Waits for what was written of the group; False if the storage failed."""
        written = self.written.get(group_id)
        return written is None or await asyncio.shield(written)

    def follow(self, group_id: str, written: asyncio.Future[bool]) -> None:
        """Later answers of the group wait for what is being written."""
        self.written[group_id] = written
        written.add_done_callback(lambda done: self.forget(group_id, done))

    def forget(self, group_id: str, written: asyncio.Future[bool]) -> None:
        if self.written.get(group_id) is written:
            del self.written[group_id]
