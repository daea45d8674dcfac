"""The group coordinator: all groups, their timers, their waiting requests and their record in the log.

It is the thin shell around the pure state machine (`group` and its events): it brings the clock, ids and futures,
and carries out effects. Everything happens in the event loop's thread, so a group is never seen half changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

from kio.schema.errors import ErrorCode

from broker.groups import description, expiry, heartbeat, leave, persisted
from broker.groups.description import GroupDescription
from broker.groups.effects import Cancel, Effect, JoinAnswer, Persist, Schedule, SyncAnswer, Timer, TimerKind
from broker.groups.group import Group
from broker.groups.join import join
from broker.groups.recovery import finish, recover
from broker.groups.requests import JoinRequest, JoinResult, MemberIdentity, SyncRequest, SyncResult
from broker.groups.settings import GroupSettings
from broker.groups.state import GroupState
from broker.groups.subscription import subscribed_topics
from broker.groups.sync import sync
from broker.groups.waiting import WaitingRequests
from broker.journal.entry import KeyValue, Marker, ProducerIdentity
from broker.journal.journal import Journal, JournalLog
from broker.offsets.committed_offset import CommittedOffset
from broker.offsets.record_key import GroupKey, OffsetKey
from broker.offsets.store import OffsetStore, TopicPartition
from broker.timers import Alarm, TimerHeap

NOT_STORED = ErrorCode.coordinator_not_available
"""The answer where the storage failed: clients try again."""
RETENTION = ("", Timer(TimerKind.RETENTION))


class GroupCoordinator:
    """One per broker. `clock` gives ms since the epoch; `start` must be called in the event loop before any request."""

    def __init__(
        self, *, settings: GroupSettings, offsets_log: JournalLog, clock: Callable[[], int], new_id: Callable[[], str]
    ) -> None:
        self.settings = settings
        self.journal = Journal(offsets_log)
        self.clock = clock
        self.new_id = new_id
        self.groups: dict[str, Group] = {}
        self.offsets = OffsetStore()
        self.timers: TimerHeap[tuple[str, Timer]] = TimerHeap()
        self.joins: WaitingRequests[JoinResult] = WaitingRequests()
        self.syncs: WaitingRequests[SyncResult] = WaitingRequests()
        self.alarm = Alarm(self.timers, clock, self.timer_fired)

    # -- life --------------------------------------------------------------------------------------------------------
    def start(self) -> None:
        """Loads groups and offsets from the log and starts the members' sessions anew."""
        now_ms, log = self.clock(), self.journal.log
        for group_id, metadata in recover(log.replay(), self.offsets, log.partition_of).items():
            self.groups[group_id], effects = persisted.from_metadata(group_id, metadata, now_ms)
            self.carry_out(self.groups[group_id], effects)
        for group_id in self.offsets.groups:
            self.groups.setdefault(group_id, Group(group_id=group_id, state_since_ms=now_ms))
        self.timers.schedule(RETENTION, now_ms + self.settings.offsets_retention_check_ms)
        self.alarm.arm()

    async def close(self) -> None:
        """Stops the timers and writes what is queued; waiting joins and syncs are cancelled."""
        self.alarm.stop()
        self.joins.cancel_all()
        self.syncs.cancel_all()
        await self.journal.close()

    def clock_moved(self) -> None:
        self.alarm.clock_moved()

    # -- membership --------------------------------------------------------------------------------------------------
    async def join(self, request: JoinRequest) -> JoinResult:
        """Waits until the group begins a generation with this member, or refuses it."""
        limits = range(self.settings.min_session_timeout_ms, self.settings.max_session_timeout_ms + 1)
        if not request.group_id:
            return JoinResult(error=ErrorCode.invalid_group_id, member_id=request.member_id)
        if request.session_timeout_ms not in limits:
            return JoinResult(error=ErrorCode.invalid_session_timeout, member_id=request.member_id)
        group = self.groups.get(request.group_id)
        if group is None:
            if request.member_id:
                return JoinResult(error=ErrorCode.unknown_member_id, member_id=request.member_id)
            group = self.create(request.group_id)
        ticket, future = self.joins.open()
        self.carry_out(group, join(group, self.settings, request, ticket, self.clock()))
        self.forget_if_unused(group)
        return await future

    async def sync(self, request: SyncRequest) -> SyncResult:
        """Waits for the leader's assignment."""
        if not request.group_id:
            return SyncResult(error=ErrorCode.invalid_group_id)
        group = self.groups.get(request.group_id)
        if group is None:
            return SyncResult(error=ErrorCode.unknown_member_id)
        ticket, future = self.syncs.open()
        self.carry_out(group, sync(group, request, ticket, self.clock()))
        return await future

    def heartbeat(self, group_id: str, who: MemberIdentity, generation: int) -> ErrorCode:
        if not group_id:
            return ErrorCode.invalid_group_id
        group = self.groups.get(group_id)
        if group is None:
            return ErrorCode.unknown_member_id
        return heartbeat.heartbeat(group, who, generation, self.clock())

    def leave(self, group_id: str, members: Sequence[MemberIdentity]) -> list[ErrorCode]:
        """Removes members; one code each, in their order."""
        group = self.groups.get(group_id)
        if group is None:
            return [ErrorCode.unknown_member_id] * len(members)
        codes: list[ErrorCode] = []
        for who in members:
            code, effects = leave.leave(group, self.settings, who, self.clock())
            self.carry_out(group, effects)
            codes.append(code)
        self.forget_if_unused(group)
        return codes

    # -- offsets -----------------------------------------------------------------------------------------------------
    def check_commit(
        self, group_id: str, who: MemberIdentity, generation: int, *, transactional: bool = False
    ) -> ErrorCode:
        """Whether this identity may commit offsets of the group; GROUP_ID_NOT_FOUND where there is no such group."""
        group = self.groups.get(group_id)
        if group is None:
            return ErrorCode.none if generation < 0 else ErrorCode.group_id_not_found
        return heartbeat.check_commit(group, who, generation, self.clock(), transactional=transactional)

    async def commit(self, group_id: str, offsets: Mapping[TopicPartition, CommittedOffset]) -> ErrorCode:
        """Commits offsets that `check_commit` let pass; answers when they are durable.

        They can be fetched at once. If the storage fails, COORDINATOR_NOT_AVAILABLE: the client commits again.
        """
        if group_id not in self.groups:
            self.create(group_id)
        for partition, committed in offsets.items():
            self.offsets.put(group_id, partition, committed)
        return await self.store(
            group_id, [(OffsetKey(group_id, *at).encode(), committed.encode()) for at, committed in offsets.items()]
        )

    async def hold_back(
        self, group_id: str, producer: ProducerIdentity, offsets: Mapping[TopicPartition, CommittedOffset]
    ) -> ErrorCode:
        """Commits offsets in a producer's open transaction: they count when it commits. Answers when durable.

        They are queued within the call, before anything that is told to `end_transaction` later.
        """
        self.offsets.hold_back(producer.producer_id, group_id, offsets.items())
        records = [(OffsetKey(group_id, *at).encode(), committed.encode()) for at, committed in offsets.items()]
        if await self.journal.write_and_wait(group_id, records, producer):
            return ErrorCode.none
        self.offsets.drop(producer.producer_id, group_id, offsets)
        return NOT_STORED

    async def end_transaction(self, partition: int, producer: ProducerIdentity, *, commit: bool) -> bool:
        """Ends a producer's transaction in a partition of the offsets' log; whether that could be made durable."""
        if not await asyncio.shield(self.journal.mark(partition, producer, commit=commit)):
            return False
        marker = Marker(partition, producer.producer_id, commit)
        for group_id in finish(marker, self.offsets, self.journal.log.partition_of):
            if group_id not in self.groups:
                self.create(group_id)
        return True

    async def delete_offsets(self, group_id: str, partitions: Iterable[TopicPartition]) -> ErrorCode:
        """Forgets committed offsets; answers when that is durable."""
        return await self.store(group_id, self.remove_offsets(group_id, partitions))

    async def store(self, group_id: str, records: Sequence[KeyValue]) -> ErrorCode:
        """Writes records and waits until they are durable."""
        if not records:
            return ErrorCode.none
        return ErrorCode.none if await self.journal.write_and_wait(group_id, records) else NOT_STORED

    def topic_deleted(self, topic: str) -> None:
        """Forgets what any group committed for a topic that is no more."""
        gone: dict[str, list[TopicPartition]] = {}
        for group_id, partition in self.offsets.of_topic(topic):
            gone.setdefault(group_id, []).append(partition)
        for group_id, partitions in gone.items():
            self.journal.write(group_id, self.remove_offsets(group_id, partitions))

    def remove_offsets(self, group_id: str, partitions: Iterable[TopicPartition]) -> list[KeyValue]:
        """Removes offsets from memory and returns the tombstones to write."""
        tombstones: list[KeyValue] = []
        for partition in list(partitions):
            self.offsets.remove(group_id, partition)
            tombstones.append((OffsetKey(group_id, *partition).encode(), None))
        return tombstones

    # -- administration ----------------------------------------------------------------------------------------------
    def describe(self, group_id: str) -> GroupDescription | None:
        group = self.groups.get(group_id)
        return None if group is None else description.describe(group)

    def describe_all(self) -> list[GroupDescription]:
        """All groups in order of id."""
        return [description.describe(self.groups[group_id]) for group_id in sorted(self.groups)]

    async def delete(self, group_id: str) -> ErrorCode:
        """Deletes a group without members and its offsets; answers when that is durable."""
        group = self.groups.get(group_id)
        if group is None:
            return ErrorCode.group_id_not_found
        if not group.is_in(GroupState.EMPTY):
            return ErrorCode.non_empty_group
        return await self.store(group_id, self.bury(group))

    def bury(self, group: Group) -> list[KeyValue]:
        """Removes an empty group with its offsets; returns the tombstones to write."""
        group.enter(GroupState.DEAD, self.clock())
        del self.groups[group.group_id]
        for member_id in group.pending:
            self.timers.cancel((group.group_id, Timer(TimerKind.PENDING, member_id)))
        tombstones = self.remove_offsets(group.group_id, self.offsets.of_group(group.group_id))
        return [*tombstones, (GroupKey(group.group_id).encode(), None)]

    def expire(self) -> None:
        """Drops offsets that outlived their retention, and groups that have nothing left (KIP-211)."""
        now_ms = self.clock()
        for group in list(self.groups.values()):
            records = self.remove_offsets(group.group_id, self.expired_offsets(group, now_ms))
            if (
                group.is_in(GroupState.EMPTY)
                and not group.pending
                and group.group_id not in self.offsets.groups
                and not self.offsets.holds_back(group.group_id)
            ):
                records += self.bury(group)
            if records:
                self.journal.write(group.group_id, records)
        self.timers.schedule(RETENTION, now_ms + self.settings.offsets_retention_check_ms)

    def expired_offsets(self, group: Group, now_ms: int) -> list[TopicPartition]:
        """An empty group's offsets age from when it became empty, a simple group's from their commit; while a consumer
        group lives, only those of topics it no longer reads do."""
        base_ms: int | None = None
        keep: Callable[[str], bool] = lambda topic: False  # noqa: E731
        if group.protocol_type is not None:
            if group.is_in(GroupState.EMPTY):
                base_ms = group.state_since_ms
            else:
                topics = subscribed_topics(group)
                if topics is None or not group.is_in(GroupState.STABLE):
                    return []
                keep = topics.__contains__
        return self.offsets.expired(
            group.group_id, now_ms=now_ms, retention_ms=self.settings.offsets_retention_ms, base_ms=base_ms, keep=keep
        )

    # -- plumbing ----------------------------------------------------------------------------------------------------
    def create(self, group_id: str) -> Group:
        group = self.groups[group_id] = Group(group_id=group_id, state_since_ms=self.clock())
        return group

    def forget_if_unused(self, group: Group) -> None:
        """A group that never began (its only join was refused or withdrawn) leaves no trace."""
        never_began = group.generation == 0 and group.is_in(GroupState.EMPTY) and not group.pending
        if never_began and group.group_id not in self.offsets.groups:
            self.groups.pop(group.group_id, None)

    def carry_out(self, group: Group, effects: Iterable[Effect]) -> None:
        """Executes effects in order; answers behind a `Persist` leave when it is durable."""
        durable: asyncio.Future[bool] | None = None
        for effect in effects:
            match effect:
                case Schedule(timer, at_ms):
                    self.timers.schedule((group.group_id, timer), at_ms)
                case Cancel(timer):
                    self.timers.cancel((group.group_id, timer))
                case Persist():
                    record = persisted.to_metadata(group).encode()
                    durable = self.journal.write(group.group_id, [(GroupKey(group.group_id).encode(), record)])
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
        self.alarm.arm()

    def timer_fired(self, key: tuple[str, Timer]) -> None:
        group_id, timer = key
        if timer.kind is TimerKind.RETENTION:
            self.expire()
        elif (group := self.groups.get(group_id)) is not None:
            self.carry_out(group, expiry.timer_fired(group, self.settings, timer, self.clock()))
            self.forget_if_unused(group)
