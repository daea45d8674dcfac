"""A consumer group of librdkafka's members that reads what is written while the broker is killed.

For the broker no partition has two owners, no record is missed, and offsets never go back.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from kio.schema.errors import ErrorCode

from broker.protocol.api_keys import ApiKey
from tests.soak.broker_chores import Chore, patiently
from tests.soak.broker_topics import PARTITIONS, PLAIN
from tests.soak.wire_line import BrokerDiedError, WireLine

if TYPE_CHECKING:
    from tests.soak.broker import BrokerSoak

GROUP = "shared"
MEMBERS = 3
LIFE_S = (3.0, 12.0)
"""How long a member stays that is not the static one."""
OUTDATED = {KafkaError.STALE_MEMBER_EPOCH, KafkaError.UNKNOWN_MEMBER_ID, KafkaError.FENCED_MEMBER_EPOCH}
"""The member has lost its place: what it read, somebody will read again."""


class Sharing(Chore):
    watches = True

    def __init__(self, soak: BrokerSoak) -> None:
        super().__init__(soak, GROUP)
        self.lock = threading.Lock()
        """Held while the account is read or changed."""
        self.owners: dict[int, Life] = {}
        self.reached = [0 for _ in range(PARTITIONS)]
        """The offset behind the last one that anybody has read."""
        self.committed = [0 for _ in range(PARTITIONS)]
        """As acknowledged."""
        self.gone: list[str] = []
        """Ids of members that have left; the broker may not have heard of it."""

    def run(self) -> None:
        threads = [self.soak.thread(self.live, number) for number in range(MEMBERS)]
        line = WireLine(self.soak.broker)
        epoch = 0
        while not self.soak.stop_watching.wait(0.1):
            try:
                epoch = self.look(line, epoch)
            except BrokerDiedError:
                continue
            self.rounds += 1
        for thread in threads:
            thread.join(30)
        line.close()

    def live(self, number: int) -> None:
        """One member after the other; the first is static, and stays."""
        while not self.soak.stop_watching.is_set():
            life = Life(self, number)
            stay_s = self.random.uniform(*LIFE_S) if number else float("inf")
            end = time.monotonic() + stay_s
            try:
                while time.monotonic() < end and not self.soak.stop_watching.is_set():
                    life.go_on()
            finally:
                life.end()
            self.events["lives"] += 1

    def look(self, line: WireLine, epoch: int) -> int:
        """The group as it is for others; returns its epoch. Raises BrokerDiedError."""
        with self.lock:
            told, gone = list(self.committed), list(self.gone)
        asked = [{"name": PLAIN, "partition_indexes": list(range(PARTITIONS))}]
        group = {"group_id": GROUP, "member_id": None, "member_epoch": -1, "topics": asked}
        answer = line.ask(ApiKey.OFFSET_FETCH, 9, groups=[group], require_stable=False).groups[0]
        for topic in answer.topics:
            for one in topic.partitions:
                offset, least = max(one.committed_offset, 0), told[one.partition_index]
                assert offset >= least, f"{PLAIN}-{one.partition_index}: {offset}, {least} was acknowledged"
        found = line.ask(ApiKey.CONSUMER_GROUP_DESCRIBE, 1, group_ids=(GROUP,)).groups[0]
        if found.error_code is ErrorCode.group_id_not_found and not epoch:
            return 0
        assert found.error_code is ErrorCode.none, found.error_code
        assert found.group_epoch >= epoch, f"group epoch {found.group_epoch} after {epoch}"
        owned = [p for one in found.members for each in one.assignment.topic_partitions for p in each.partitions]
        assert len(owned) == len(set(owned)), f"owned by two: {found.members}"
        self.dismiss(line, gone, {member.member_id for member in found.members})
        return found.group_epoch

    def dismiss(self, line: WireLine, gone: list[str], present: set[str]) -> None:
        """Ends the membership of those whose farewell was lost with the broker: else they stay for their session."""
        for member_id in gone:
            if member_id in present:
                line.ask(ApiKey.LEAVE_GROUP, 5, group_id=GROUP, members=[{"member_id": member_id}])
                self.events["dismissed"] += 1
            with self.lock:
                self.gone.remove(member_id)

    def is_done(self) -> bool:
        """Whether all is read and committed that was written."""
        return self.committed == self.soak.sent

    def check(self) -> None:
        super().check()
        assert self.reached == self.soak.sent
        assert self.committed == self.soak.sent


class Life:
    """One member from its joining to its leaving."""

    def __init__(self, sharing: Sharing, number: int) -> None:
        self.sharing = sharing
        self.held: set[int] = set()
        """What it owns as far as it knows."""
        settings = {"group_id": GROUP, "group_protocol": "consumer", "auto_offset_reset": "earliest"}
        if number == 0:
            settings["group_instance_id"] = "static"
        self.consumer = Consumer(sharing.soak.settings(enable_auto_commit=False, check_crcs=True, **settings))
        self.consumer.subscribe([PLAIN], on_assign=self.on_assign, on_revoke=self.on_revoke, on_lost=self.on_lost)

    def on_assign(self, _: Consumer, partitions: Sequence[TopicPartition]) -> None:
        with self.sharing.lock:
            for one in partitions:
                self.held.add(one.partition)
                self.sharing.owners[one.partition] = self
            self.sharing.events["assigned"] += len(partitions)

    def on_revoke(self, _: Consumer, partitions: Sequence[TopicPartition]) -> None:
        with self.sharing.lock:
            for one in partitions:
                self.held.discard(one.partition)
                self.release(one.partition)
            self.sharing.events["revoked"] += len(partitions)

    def on_lost(self, _: Consumer, partitions: Sequence[TopicPartition]) -> None:
        """It was fenced: the answer that gave it a new epoch was lost, and it did not say what it owns when it asked
        again."""
        with self.sharing.lock:
            for one in partitions:
                self.held.discard(one.partition)
                self.release(one.partition)
            self.sharing.events["lost"] += 1

    def release(self, partition: int) -> None:
        """Somebody may have the partition already: this member told the broker, when it connected anew, that it does
        not own what its application had yet to hear of. So by the protocol the broker may give that away; who owns what
        for the broker is compared in `look`, and with strict members in `broker_members`."""
        if self.sharing.owners.get(partition) is self:
            del self.sharing.owners[partition]
        else:
            self.sharing.events["overlaps"] += 1

    def go_on(self) -> None:
        """Reads a little and commits it."""
        following: dict[int, int] = {}
        for message in self.consumer.consume(200, 0.05):
            error = message.error()
            if error is None:
                self.take(message, following)
            else:
                assert not error.fatal(), error
        if following:
            self.commit([TopicPartition(PLAIN, *each) for each in following.items()])

    def take(self, message: Message, following: dict[int, int]) -> None:
        sharing, partition, offset = self.sharing, message.partition(), message.offset()
        assert partition is not None
        assert offset is not None
        with sharing.lock:
            if sharing.owners.get(partition) is not self:
                return  # given up since it came; the next owner reads it
            assert offset >= sharing.committed[partition], f"offset {offset} was committed already"
            assert offset <= sharing.reached[partition], f"offset {offset} after {sharing.reached[partition]}"
            assert message.value() == b"%d" % offset
            sharing.reached[partition] = max(sharing.reached[partition], offset + 1)
            sharing.events["read"] += 1
        following[partition] = offset + 1

    def commit(self, following: list[TopicPartition]) -> None:
        try:
            answers: Any = patiently(lambda: self.consumer.commit(offsets=following, asynchronous=False))
        except KafkaException as error:
            if error.args[0].code() not in OUTDATED:
                raise
            self.sharing.events["outdated commits"] += 1
            return
        with self.sharing.lock:
            for one in answers:
                assert one.error is None, one.error
                self.sharing.committed[one.partition] = max(one.offset, self.sharing.committed[one.partition])
            self.sharing.events["commits"] += 1

    def end(self) -> None:
        member_id = self.consumer.memberid()
        self.consumer.close()
        with self.sharing.lock:
            for partition in self.held:  # it is not told of those that it never came to
                self.release(partition)
            if member_id:
                self.sharing.gone.append(member_id)
