"""The group coordinator: all groups of both kinds, their offsets, their timers and their log.

It is the thin shell around the pure state machines: what groups have in common is here, what they do by their protocol
in a `GroupKind` for each. Everything happens in the event loop's thread, so a group is never seen half changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from kio.schema.errors import ErrorCode

from broker.groups.held_heartbeats import HeldHeartbeats
from broker.groups.recovery import finish, recover
from broker.groups.settings import GroupSettings
from broker.groups.timer import Timer, TimerKind
from broker.journal.entry import KeyValue, Marker, ProducerIdentity
from broker.journal.journal import Journal, JournalLog
from broker.offsets.committed_offset import CommittedOffset
from broker.offsets.record_key import OffsetKey
from broker.offsets.store import OffsetStore, TopicPartition
from broker.timers import Alarm, TimerHeap

if TYPE_CHECKING:
    from broker.consumer_groups.configs import GroupConfigs
    from broker.consumer_groups.description import ConsumerGroupDescription
    from broker.consumer_groups.membership import ConsumerGroups
    from broker.consumer_groups.requests import HeartbeatRequest, HeartbeatResult
    from broker.consumer_groups.topic_directory import TopicDirectory
    from broker.groups.classic import ClassicGroups
    from broker.groups.description import GroupDescription
    from broker.groups.group import Group
    from broker.groups.kind import AnyGroup, GroupKind, GroupListing
    from broker.groups.requests import JoinRequest, JoinResult, MemberIdentity, SyncRequest, SyncResult

NOT_STORED = ErrorCode.coordinator_not_available
"""The answer where the storage failed: clients try again."""
RETENTION = ("", Timer(TimerKind.RETENTION))


class GroupCoordinator:
    """One per broker. `clock` gives ms since the epoch; `start` must be called in the event loop before any request."""

    def __init__(
        self,
        *,
        settings: GroupSettings,
        offsets_log: JournalLog,
        clock: Callable[[], int],
        new_id: Callable[[], str],
        topics: TopicDirectory,
        configs: GroupConfigs,
    ) -> None:
        self.settings = settings
        self.journal = Journal(offsets_log)
        self.clock = clock
        self.new_id = new_id
        self.topics = topics
        self.configs = configs
        """Of single groups."""
        self.groups: dict[str, AnyGroup] = {}
        self.offsets = OffsetStore()
        self.timers: TimerHeap[tuple[str, Timer]] = TimerHeap()
        self.alarm = Alarm(self.timers, clock, self.timer_fired)
        self.held = HeldHeartbeats(self)
        self.loaded_classic: ClassicGroups | None = None
        self.loaded_consumer: ConsumerGroups | None = None

    @property
    def classic(self) -> ClassicGroups:
        """Loaded when the first classic group is met: a broker that has none starts without."""
        if self.loaded_classic is None:
            from broker.groups.classic import ClassicGroups

            self.loaded_classic = ClassicGroups(self)
        return self.loaded_classic

    @property
    def consumer(self) -> ConsumerGroups:
        """Likewise."""
        if self.loaded_consumer is None:
            from broker.consumer_groups.membership import ConsumerGroups

            self.loaded_consumer = ConsumerGroups(self)
        return self.loaded_consumer

    def kind_of(self, group: AnyGroup) -> GroupKind[Any]:
        return self.classic if group.type == "classic" else self.consumer

    # -- life --------------------------------------------------------------------------------------------------------
    def start(self) -> None:
        """Loads groups and offsets from the log and starts the members' sessions anew."""
        log = self.journal.log
        recovered = recover(log.replay(), self.offsets, log.partition_of)
        for group_id, metadata in recovered.classic.items():
            self.classic.load(group_id, metadata)
        for group_id, image in recovered.consumer.items():
            if image.epoch is not None:
                self.consumer.load(group_id, image)
        for group_id in self.offsets.groups:
            if group_id not in self.groups:
                self.classic.create(group_id)
        self.timers.schedule(RETENTION, self.clock() + self.settings.offsets_retention_check_ms)
        self.alarm.arm()

    async def close(self) -> None:
        """Stops the timers and writes what is queued; waiting joins and syncs are cancelled."""
        self.alarm.stop()
        if self.loaded_classic is not None:
            self.loaded_classic.cancel_waiting()
        self.held.cancel_all()
        await self.journal.close()

    def clock_moved(self) -> None:
        self.alarm.clock_moved()

    # -- membership --------------------------------------------------------------------------------------------------
    async def join(self, request: JoinRequest) -> JoinResult:
        """Waits until the group begins a generation with this member, or refuses it."""
        from broker.groups.requests import JoinResult  # as with the kinds of groups

        limits = range(self.settings.min_session_timeout_ms, self.settings.max_session_timeout_ms + 1)
        if not request.group_id:
            return JoinResult(error=ErrorCode.invalid_group_id, member_id=request.member_id)
        if request.session_timeout_ms not in limits:
            return JoinResult(error=ErrorCode.invalid_session_timeout, member_id=request.member_id)
        group = self.groups.get(request.group_id)
        if group is None:
            if request.member_id:
                return JoinResult(error=ErrorCode.unknown_member_id, member_id=request.member_id)
            group = self.classic.create(request.group_id)
        elif group.type != "classic" and self.kind_of(group).is_empty(group):
            # The first member decides the kind. Offsets stay: the group is the same to those who use it.
            self.journal.write(request.group_id, self.kind_of(group).bury(group))
            group = self.classic.create(request.group_id)
        return await self.kind_of(group).join(group, request)

    async def sync(self, request: SyncRequest) -> SyncResult:
        """Waits for the leader's assignment."""
        from broker.groups.requests import SyncResult

        if not request.group_id:
            return SyncResult(error=ErrorCode.invalid_group_id)
        group = self.groups.get(request.group_id)
        if group is None:
            return SyncResult(error=ErrorCode.unknown_member_id)
        return await self.kind_of(group).sync(group, request)

    def heartbeat(self, group_id: str, who: MemberIdentity, generation: int) -> ErrorCode:
        if not group_id:
            return ErrorCode.invalid_group_id
        group = self.groups.get(group_id)
        if group is None:
            return ErrorCode.unknown_member_id
        return self.kind_of(group).heartbeat(group, who, generation)

    def leave(self, group_id: str, members: Sequence[MemberIdentity]) -> list[ErrorCode]:
        """Removes members; one code each, in their order."""
        group = self.groups.get(group_id)
        if group is None:
            return [ErrorCode.unknown_member_id] * len(members)
        return self.kind_of(group).leave(group, members)

    async def consumer_heartbeat(self, request: HeartbeatRequest) -> HeartbeatResult:
        """ConsumerGroupHeartbeat: joins, stays, changes or leaves, as the epoch says."""
        return await self.consumer.consumer_heartbeat(request)

    # -- offsets -----------------------------------------------------------------------------------------------------
    def check_commit(
        self, group_id: str, who: MemberIdentity, generation: int, *, version: int, transactional: bool = False
    ) -> ErrorCode:
        """Whether this identity may commit offsets of the group; GROUP_ID_NOT_FOUND where there is no such group.

        `version`: of the API by which it commits.
        """
        group = self.groups.get(group_id)
        if group is None:
            return ErrorCode.none if generation < 0 else ErrorCode.group_id_not_found
        return self.kind_of(group).check_commit(group, who, generation, version=version, transactional=transactional)

    def check_fetch(self, group_id: str, member_id: str | None, epoch: int) -> ErrorCode:
        """Whether offsets of the group may be fetched in the name of this member (None and -1: in nobody's)."""
        group = self.groups.get(group_id)
        return ErrorCode.none if group is None else self.kind_of(group).check_fetch(group, member_id, epoch)

    async def commit(self, group_id: str, offsets: Mapping[TopicPartition, CommittedOffset]) -> ErrorCode:
        """Commits offsets that `check_commit` let pass; answers when they are durable.

        They can be fetched at once. If the storage fails, COORDINATOR_NOT_AVAILABLE: the client commits again.
        """
        if group_id not in self.groups:
            self.classic.create(group_id)
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
                self.classic.create(group_id)
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
        """A classic group; None if there is none of that id."""
        group = self.groups.get(group_id)
        return None if group is None or group.type != "classic" else self.classic.describe(cast("Group", group))

    async def is_stored(self, group_id: str) -> bool:
        """Waits until a consumer group is durable as it is now; False if the storage failed."""
        return await self.consumer.is_stored(group_id)

    def describe_consumer(self, group_id: str) -> ConsumerGroupDescription | None:
        """A consumer group; None if there is none of that id."""
        group = self.groups.get(group_id)
        return None if group is None or group.type != "consumer" else self.consumer.describe(group_id)

    def type_of(self, group_id: str) -> str | None:
        """ "classic", "consumer", or None: there is no such group."""
        group = self.groups.get(group_id)
        return None if group is None else group.type

    def list_all(self) -> list[GroupListing]:
        """All groups in order of id."""
        return [self.kind_of(group).listing(group) for _, group in sorted(self.groups.items())]

    def topics_in_use(self, group_id: str) -> frozenset[str] | None:
        """Topics that members of a group that is there read; None where that cannot be known."""
        group = self.groups[group_id]
        return self.kind_of(group).topics_in_use(group)

    async def delete(self, group_id: str) -> ErrorCode:
        """Deletes a group without members and its offsets; answers when that is durable."""
        group = self.groups.get(group_id)
        if group is None:
            return ErrorCode.group_id_not_found
        if not self.kind_of(group).is_empty(group):
            return ErrorCode.non_empty_group
        return await self.store(group_id, self.bury(group))

    def bury(self, group: AnyGroup) -> list[KeyValue]:
        """Removes an empty group with its offsets; returns the tombstones to write."""
        del self.groups[group.group_id]
        tombstones = self.remove_offsets(group.group_id, self.offsets.of_group(group.group_id))
        return [*tombstones, *self.kind_of(group).bury(group)]

    def expire(self) -> None:
        """Drops offsets that outlived their retention, and groups that have nothing left (KIP-211)."""
        now_ms = self.clock()
        for group in list(self.groups.values()):
            group_id = group.group_id
            records = self.remove_offsets(group_id, self.expired_offsets(group, now_ms))
            has_offsets = group_id in self.offsets.groups or self.offsets.holds_back(group_id)
            if self.kind_of(group).is_idle(group) and not has_offsets:
                records += self.bury(group)
            if records:
                self.journal.write(group_id, records)
        self.timers.schedule(RETENTION, now_ms + self.settings.offsets_retention_check_ms)

    def expired_offsets(self, group: AnyGroup, now_ms: int) -> list[TopicPartition]:
        retention = self.kind_of(group).retention(group)
        if retention is None:
            return []
        return self.offsets.expired(
            group.group_id,
            now_ms=now_ms,
            retention_ms=self.settings.offsets_retention_ms,
            base_ms=retention.base_ms,
            keep=retention.keep,
        )

    # -- plumbing ----------------------------------------------------------------------------------------------------
    def timer_fired(self, key: tuple[str, Timer]) -> None:
        group_id, timer = key
        if timer.kind is TimerKind.RETENTION:
            self.expire()
        elif timer.kind is TimerKind.HOLD:
            self.held.release(group_id, timer.member_id)
        elif (group := self.groups.get(group_id)) is not None:
            self.kind_of(group).timer_fired(group, timer)
