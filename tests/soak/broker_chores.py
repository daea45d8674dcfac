"""What goes on beside the transactions while the broker is killed: compaction, topics that come and go, changed
configs, deleted records. Each chore keeps account of what it was told, and compares in the end."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourceType,
)

if TYPE_CHECKING:
    from tests.soak.broker import BrokerSoak

TABLE, PURGED = "table", "purged"
KEYS = 30
PATIENCE_S = 60.0
ANSWER_S = 8.0
"""A client whose broker died in the midst of a request may wait for its answer much longer."""


def patiently(work: Callable[[], Any]) -> Any:
    """Does it again while the client says that this may help."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return work()
        except KafkaException as error:
            reason = error.args[0]
            passing = reason.retriable() or reason.code() in PASSING
            if reason.fatal() or reason.txn_requires_abort() or not passing or time.monotonic() > deadline:
                raise


PASSING = {
    KafkaError._TIMED_OUT,
    KafkaError._TRANSPORT,
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError._WAIT_COORD,
    KafkaError.REQUEST_TIMED_OUT,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
}

ENOUGH_TO_COMPACT = 10_000
"""Records of the compacted topic that fill several segments; a run of seconds writes fewer."""


class Chore:
    """One thread of the soak. `rounds`: how often it came through."""

    paced: ClassVar[bool] = False
    """It comes through after each kill before the next one."""
    watches: ClassVar[bool] = False
    """It goes on until all that is written is seen."""

    def __init__(self, soak: BrokerSoak, name: str) -> None:
        self.soak = soak
        self.random = random.Random(f"{soak.seed}-{name}")
        self.rounds = 0
        self.events: Counter[str] = Counter()
        """What happened, for those who want to know."""

    def run(self) -> None:
        raise NotImplementedError

    def is_done(self) -> bool:
        """Whether one that watches has seen everything."""
        return True

    def check(self) -> None:
        """After all clients have ended. Raises AssertionError."""
        assert self.rounds > 0, f"{type(self).__name__} came through not once"

    def make(self, topic: str, partitions: int = 1, **configs: str) -> None:
        """Creates a topic of the chore's own, whatever the broker's death leaves unanswered."""
        settings = {name.replace("_", "."): value for name, value in configs.items()}

        def create(admin: AdminClient) -> None:
            admin.create_topics([NewTopic(topic, partitions, config=settings)])[topic].result(ANSWER_S)

        self.insist(create, KafkaError.TOPIC_ALREADY_EXISTS)

    def insist(self, work: Any, *done: int) -> Any:
        """Asks until there is an answer; an error code of `done` says that an earlier try went through."""
        deadline = time.monotonic() + PATIENCE_S
        tries = 0
        while True:
            admin = AdminClient(self.soak.settings())
            try:
                return work(admin)
            except KafkaException as error:
                reason = error.args[0]
                if tries and reason.code() in done:
                    return None
                passing = reason.retriable() or reason.code() < 0
                if not passing or time.monotonic() > deadline:
                    raise
            except TimeoutError:
                if time.monotonic() > deadline:
                    raise
            tries += 1

    def watermarks(self, topic: str) -> tuple[int, int]:
        """Of partition 0."""
        consumer = Consumer(self.soak.settings(group_id="none"))
        deadline = time.monotonic() + PATIENCE_S
        try:
            while True:
                try:
                    return consumer.get_watermark_offsets(TopicPartition(topic, 0), 1)
                except KafkaException:
                    if time.monotonic() > deadline:
                        raise
        finally:
            consumer.close()

    def read(self, topic: str) -> list[tuple[int, str, str | None]]:
        """(offset, key, value) of all of partition 0; markers and what was compacted are gaps."""
        low, high = self.watermarks(topic)
        deadline = time.monotonic() + PATIENCE_S
        while low < high:
            found = self.read_once(topic)
            if found is not None:
                return found
            assert time.monotonic() < deadline, f"neither a record nor the end of {topic}"
        return []

    def read_once(self, topic: str) -> list[tuple[int, str, str | None]] | None:
        """None: the client did not find the log's start, because the broker died each time before it asked again."""
        consumer = Consumer(self.soak.settings(group_id="none", enable_partition_eof=True, check_crcs=True))
        consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
        found: list[tuple[int, str, str | None]] = []
        try:
            while (message := consumer.poll(5)) is not None:
                if message.error() is not None:
                    assert message.error().code() == KafkaError._PARTITION_EOF, message.error()
                    return found
                key, value, offset = message.key(), message.value(), message.offset()
                assert offset is not None
                found.append((offset, (key or b"").decode(), None if value is None else value.decode()))
        finally:
            consumer.close()
        return None


class Table(Chore):
    """Values by key in a topic that is compacted all the time; some are deleted."""

    def __init__(self, soak: BrokerSoak) -> None:
        super().__init__(soak, TABLE)
        self.rows: dict[str, str | None] = {}
        self.sent = 0
        self.failures: list[str] = []

    def run(self) -> None:
        configs = {"cleanup_policy": "compact", "segment_bytes": "15000", "min_cleanable_dirty_ratio": "0"}
        self.make(TABLE, delete_retention_ms="600000", **configs)
        producer = Producer(self.soak.settings(enable_idempotence=True, linger_ms=1))

        def delivered(error: KafkaError | None, _: object) -> None:
            if error is not None:
                self.failures.append(str(error))

        while not self.soak.stop_writing.is_set():
            for _ in range(20):
                key = f"key-{self.random.randrange(KEYS)}"
                value = None if self.random.random() < 0.1 else f"{self.sent}"
                producer.produce(TABLE, value, key, partition=0, on_delivery=delivered)
                self.rows[key] = value
                self.sent += 1
            producer.poll(0.04)
            self.rounds += 1
        assert producer.flush(PATIENCE_S) == 0

    def check(self) -> None:
        super().check()
        assert self.failures == []
        found = self.read(TABLE)
        assert [offset for offset, _, _ in found] == sorted({offset for offset, _, _ in found})
        assert {key: value for _, key, value in found} == self.rows
        assert self.watermarks(TABLE)[1] == self.sent, "each record once"
        assert len(found) < self.sent or self.sent < ENOUGH_TO_COMPACT, "nothing was compacted"


class Topics(Chore):
    """A topic comes, is written to, configured, grown, and goes; again and again under the same few names."""

    def __init__(self, soak: BrokerSoak) -> None:
        super().__init__(soak, "topics")
        self.left: set[str] = set()

    def run(self) -> None:
        while not self.soak.stop_writing.is_set():
            name = f"passing-{self.rounds % 3}"
            self.make(name, self.random.randint(1, 3))
            self.left.add(name)
            assert self.watermarks(name) == (0, 0), "records of an earlier topic"
            producer = Producer(self.soak.settings(enable_idempotence=True))
            producer.produce(name, "v", partition=0)
            assert producer.flush(PATIENCE_S) == 0
            self.configure(name, str(self.random.randint(1_000, 9_000_000)))
            self.insist(lambda admin, name=name: grow(admin, name, 5), KafkaError.INVALID_PARTITIONS)
            assert self.watermarks(name) == (0, 1)
            if self.random.random() < 0.1:
                assert self.read(name) == [(0, "", "v")]
            self.insist(lambda admin, name=name: delete(admin, name), KafkaError.UNKNOWN_TOPIC_OR_PART)
            self.left.discard(name)
            self.rounds += 1

    def configure(self, name: str, value: str) -> None:
        entry = ConfigEntry("retention.ms", value, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=[entry])
        self.insist(lambda admin: admin.incremental_alter_configs([resource])[resource].result(ANSWER_S))
        asked = ConfigResource(ResourceType.TOPIC, name)
        found = self.insist(lambda admin: admin.describe_configs([asked])[asked].result(ANSWER_S))
        assert found["retention.ms"].value == value, "a changed config was forgotten"

    def check(self) -> None:
        super().check()
        listed = self.insist(lambda admin: admin.list_topics(timeout=10)).topics
        assert {name for name in listed if name.startswith("passing-")} == self.left


class Purge(Chore):
    """Records are written and deleted from the front: what is deleted stays so, what is not is there."""

    def __init__(self, soak: BrokerSoak) -> None:
        super().__init__(soak, PURGED)
        self.sent = 0
        self.start = 0
        """The log's start that was told last."""

    def run(self) -> None:
        self.make(PURGED, segment_bytes="5000")
        producer = Producer(self.soak.settings(enable_idempotence=True, linger_ms=1))
        while not self.soak.stop_writing.is_set():
            for _ in range(50):
                producer.produce(PURGED, str(self.sent), "k", partition=0)
                self.sent += 1
            assert producer.flush(PATIENCE_S) == 0
            low, high = self.watermarks(PURGED)
            assert high == self.sent
            assert low >= self.start, f"the log begins at {low}, where {self.start} was told"
            at = TopicPartition(PURGED, 0, self.random.randint(low, high))
            deleted = self.insist(lambda admin, at=at: admin.delete_records([at])[at].result(ANSWER_S))
            assert deleted.low_watermark == at.offset
            self.start = at.offset
            self.rounds += 1

    def check(self) -> None:
        super().check()
        assert self.read(PURGED) == [(number, "k", str(number)) for number in range(self.start, self.sent)]


def grow(admin: AdminClient, name: str, partitions: int) -> None:
    admin.create_partitions([NewPartitions(name, partitions)])[name].result(ANSWER_S)


def delete(admin: AdminClient, name: str) -> None:
    admin.delete_topics([name])[name].result(ANSWER_S)
