"""The handles of the test driver on topics of a running log."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import Any

from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition

from streams.compile.program import Headers
from streams.sent_time import sent_time
from streams.serde import Destination, Serde
from streams.testing.difference import Expected, difference
from streams.testing.record import TestRecord
from streams.testing.table_literal import parse_table

DEADLINE_S = 30.0
"""How long a record is waited for."""
LOOK_EVERY_S = 0.1


class LivePipe:
    """What input topics pipe into: a producer that waits until the log has each record."""

    def __init__(self, client: dict[str, Any]) -> None:
        self.now = int(time.time() * 1000)
        self._producer: Any = Producer({**client, "partitioner": "murmur2_random", "linger.ms": 0})

    def pipe(self, topic: str, key: bytes | None, value: bytes | None, timestamp: int, headers: Headers | None) -> None:
        """Raises AssertionError: the log refused the record, or does not answer."""
        failures: list[Any] = []

        def delivered(error: Any, message: Message) -> None:
            if error is not None:
                failures.append(error)

        self._producer.produce(
            topic, value, key, timestamp=sent_time(timestamp), headers=headers, on_delivery=delivered
        )
        if self._producer.flush(DEADLINE_S) or failures:
            why = failures[0] if failures else f"no answer in {DEADLINE_S:.0f} s"
            raise AssertionError(f"a record could not be written to topic {topic!r}: {why}")


class LiveOutputTopic:
    """Reads one topic from its beginning, each record once; waits for records that are still to come.

    Records of one partition come in their order, those of several in any.

    Args:
        check: called while waiting; raises if waiting is in vain.
    """

    def __init__(
        self, name: str, key: Serde, value: Serde, client: dict[str, Any], check: Callable[[], None] = lambda: None
    ) -> None:
        self.name = name
        self._key = key.bound(Destination(name, "key"))
        self._value = value.bound(Destination(name, "value"))
        self._check = check
        self._consumer: Any = Consumer(
            {
                **client,
                "group.id": "headrace-testing",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 20,
            }
        )
        self._assigned: set[int] = set()

    def __repr__(self) -> str:
        return f"LiveOutputTopic({self.name!r})"

    def read(self, *, timeout_s: float = DEADLINE_S) -> TestRecord:
        """The next record. Raises LookupError if none comes in time."""
        record = self._next(time.monotonic() + timeout_s)
        if record is None:
            raise LookupError(f"nothing more came to topic {self.name!r} in {timeout_s:.0f} s")
        return record

    def read_many(self, count: int, *, timeout_s: float = DEADLINE_S) -> list[TestRecord]:
        """The next `count` records. Raises LookupError if fewer come in time."""
        deadline, found = time.monotonic() + timeout_s, list[TestRecord]()
        while len(found) < count:
            record = self._next(deadline)
            if record is None:
                raise LookupError(f"{len(found)} of {count} records came to topic {self.name!r} in {timeout_s:.0f} s")
            found.append(record)
        return found

    def assert_records(self, expected: Expected, *, timeout_s: float = DEADLINE_S) -> None:
        """That these are the next records, as `OutputTopic.assert_records`; waits until as many have come.

        Raises:
            AssertionError: showing both line by line.
        """
        __tracebackhide__ = True
        if not isinstance(expected, str):
            expected = expected if isinstance(expected, Collection) else list(expected)
        count = len(parse_table(expected).rows) if isinstance(expected, str) else len(expected)
        deadline, found = time.monotonic() + timeout_s, list[TestRecord]()
        while len(found) < count and (record := self._next(deadline)) is not None:
            found.append(record)
        problem = difference(f"topic {self.name!r}", found, expected)
        if problem is not None:
            raise AssertionError(problem)

    def assert_table(self, expected: Expected, *, timeout_s: float = DEADLINE_S) -> None:
        """That the topic, read as a table from here on, comes to be this one; see `OutputTopic.assert_table`.

        Raises:
            AssertionError: it was not in time; showing both row by row.
        """
        __tracebackhide__ = True
        rows: dict[Any, TestRecord] = {}
        deadline = time.monotonic() + timeout_s
        while True:
            table = [row for row in rows.values() if row.value is not None]
            problem = difference(f"the table on topic {self.name!r}", table, expected, ordered=False)
            record = None if problem is None else self._next(deadline)
            if record is None:
                break
            rows[record.key] = record
        if problem is not None:
            raise AssertionError(problem)

    def close(self) -> None:
        self._consumer.close()

    def _next(self, deadline: float) -> TestRecord | None:
        while True:
            if not self._assigned:
                self._assign()
            message = self._consumer.poll(LOOK_EVERY_S)
            if message is not None and message.error() is None:
                return self._record(message)
            self._check()
            if time.monotonic() > deadline:
                return None

    def _assign(self) -> None:
        """From the beginning of every partition; nothing while the topic does not exist."""
        try:
            known = self._consumer.list_topics(self.name, timeout=DEADLINE_S).topics[self.name]
        except KafkaException as error:
            raise AssertionError(f"topic {self.name!r} cannot be read: {error}") from error
        self._assigned = set(known.partitions) if known.error is None else set()
        self._consumer.assign([TopicPartition(self.name, partition, 0) for partition in sorted(self._assigned)])

    def _record(self, message: Any) -> TestRecord:
        key, value = message.key(), message.value()
        return TestRecord(
            None if key is None else self._key.deserialize(key),
            None if value is None else self._value.deserialize(value),
            message.timestamp()[1],
            message.headers() or [],
        )
