"""What the output of a workload has to be, and reading it back."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
from confluent_kafka import Consumer, TopicPartition

from bench.topics import PARTITIONS

QUIET_S = 20.0
"""A reader gives up waiting for what is missing after this long."""


@dataclass(frozen=True, slots=True)
class Truth:
    """How many records come out, and what the numbers in them add up to."""

    records: int
    total: int


@dataclass(slots=True)
class Tally:
    """Adds up one field of the values: of all records, or of the newest of each key (and window)."""

    column: str
    of: Literal["all", "newest"]
    records: int = 0
    _all: int = 0
    _newest: dict[bytes, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return self._all + sum(self._newest.values())

    def add(self, key: bytes, value: dict[str, Any] | None) -> None:
        """A null value deletes its key."""
        self.records += 1
        if value is None:
            self._newest.pop(key, None)
        elif self.of == "all":
            self._all += value[self.column]
        else:
            window = str(value.get("start", "")).encode()  # Quix has the window in the value, not in the key
            self._newest[key + window] = value[self.column]


def check(bootstrap_servers: str, topic: str, truth: Truth, tally: Tally) -> None:
    """Reads committed records only. Raises SystemExit where they are not what the inputs make."""
    consumer = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": "check", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, p, 0) for p in range(PARTITIONS)])
    decode, deadline = msgspec.json.decode, time.monotonic() + QUIET_S
    while True:
        messages = consumer.consume(10_000, 0.5)
        if not messages and (tally.records >= truth.records or time.monotonic() > deadline):
            break
        for m in messages:
            if m.error():
                raise SystemExit(f"{topic}: {m.error()}")
            value = m.value()
            tally.add(m.key(), None if value is None else decode(value))
    consumer.close()
    if (tally.records, tally.total) != (truth.records, truth.total):
        raise SystemExit(
            f"{topic}: {tally.records} records with a total of {tally.total}, instead of {truth.records} with "
            f"{truth.total}"
        )
