"""What the output of a workload has to be, and reading it back."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

import msgspec
from confluent_kafka import Consumer, KafkaError, TopicPartition

from bench.topics import PARTITIONS

PATIENCE_S = 20.0
"""A reader gives up when nothing has come for so long."""


class Failed(Exception):
    """A run without a figure: the program ended, took too long, or says something else than what is true."""


class Expected(Protocol):
    @property
    def records(self) -> int | None:
        """How many records come out; None: that depends on the moment."""
        ...


E = TypeVar("E", contravariant=True)


class Tally(Protocol[E]):
    """Takes in what came out, and says what is wrong with it."""

    records: int

    def add(self, key: bytes, value: dict[str, Any] | None) -> None:
        """A null value deletes its key."""
        ...

    def counted(self) -> int:
        """How many inputs the results speak of, or another number that is as it should be if nothing was left out."""
        ...

    def problem(self, truth: E) -> str | None:
        """How it differs from the truth; None: not at all."""
        ...


@dataclass(frozen=True, slots=True)
class Truth:
    """How many records come out (None: that depends on the moment), and what the numbers in them add up to."""

    records: int | None
    total: int


@dataclass(slots=True)
class Sum:
    """Adds up one field of the values: of all records, or of the newest of each key (and window)."""

    column: str
    of: Literal["all", "newest"]
    records: int = 0
    _all: int = 0
    _newest: dict[bytes, int] = field(default_factory=dict)

    def counted(self) -> int:
        return self._all + sum(self._newest.values())

    def add(self, key: bytes, value: dict[str, Any] | None) -> None:
        self.records += 1
        if value is None:
            self._newest.pop(key, None)
        elif self.of == "all":
            self._all += value[self.column]
        else:
            start = value.get("start")  # some have the window in the value, not in the key
            self._newest[key if start is None else key + b"%d" % start] = value[self.column]

    def problem(self, truth: Truth) -> str | None:
        records, total = self.records, self.counted()
        if total == truth.total and truth.records in (None, records):
            return None
        expected = "any number" if truth.records is None else f"{truth.records:,}"
        return f"{records:,} records with a total of {total:,}, instead of {expected} with {truth.total:,}"


def read_back(bootstrap_servers: str, topic: str, tally: Tally[Any], at_least: int = 0) -> None:
    """Adds the committed records of the topic up to its end, which is waited for until there are so many.

    Raises Failed where the topic cannot be read to its end.
    """
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap_servers,
            "group.id": "check",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "fetch.queue.backoff.ms": 10,
        }
    )
    consumer.assign([TopicPartition(topic, p, 0) for p in range(PARTITIONS)])
    decode, deadline, ended = msgspec.json.decode, time.monotonic() + PATIENCE_S, set[int]()
    while len(ended) < PARTITIONS or tally.records < at_least:
        messages = consumer.consume(10_000, 0.5)
        for m in messages:
            if error := m.error():
                if error.code() != KafkaError._PARTITION_EOF:
                    raise Failed(f"{topic}: {error}")
                ended.add(m.partition())
                continue
            deadline = time.monotonic() + PATIENCE_S
            value = m.value()
            tally.add(m.key(), None if value is None else decode(value))
        if time.monotonic() > deadline:
            break
    consumer.close()
    if len(ended) < PARTITIONS:
        raise Failed(f"{topic}: only partitions {sorted(ended)} could be read to their ends")


def check(bootstrap_servers: str, topic: str, truth: Any, tally: Tally[Any]) -> None:
    """Raises Failed where the committed records of the topic are not what the inputs make."""
    read_back(bootstrap_servers, topic, tally, truth.records or 0)
    if problem := tally.problem(truth):
        raise Failed(f"{topic}: {problem}")
