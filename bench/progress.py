"""How far a program is, seen from the log, and the steady part of its run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from bench.topics import PARTITIONS
from streams.wire.client import Client
from streams.wire.group_offsets import committed_offsets

WARM = 0.5
"""The share of the work after which a run is measured: interpreters, compilers and caches are warm by then."""
NEARLY_ALL = 0.98
"""Where commits tell the progress, the measured part ends with the last one before this share. At that there was still
work, whereas the commit of the end may come long after the last record."""

CONNECT_S = 20.0

NOT_YET = {
    KafkaError._NOENT,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
}
"""What a broker says of topics that are new."""


class Outputs:
    """Records in the output, markers of transactions included."""

    def __init__(self, bootstrap_servers: str, sink: str) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._admin = client(bootstrap_servers)
        self._asked = {TopicPartition(sink, p): OffsetSpec.latest() for p in range(PARTITIONS)}
        self._last = 0

    def read(self) -> int:
        """The last known number while a partition is about to have a leader."""
        try:
            self._last = sum(told.result(20).offset for told in self._admin.list_offsets(self._asked).values())
        except KafkaException as error:
            if error.args[0].code() not in NOT_YET:
                raise
            self._admin = client(self._bootstrap_servers)  # one that knew no leader may never look for it again
        return self._last


class Commits:
    """Offsets that a group has committed, of all its topics together."""

    def __init__(self, bootstrap_servers: str, group: str) -> None:
        self._client = Client.of({"bootstrap.servers": bootstrap_servers})
        self._group = group

    def by_topic(self) -> dict[str, int]:
        found: dict[str, int] = {}
        offsets = committed_offsets(self._client, {self._group: None}, timeout_s=CONNECT_S)[self._group]
        for (topic, _), offset in offsets.items():
            found[topic] = found.get(topic, 0) + offset
        return found


class Sample(NamedTuple):
    """At a moment (monotonic, s): how much is done, and CPU seconds so far of the program, of the broker, of the whole
    machine."""

    at: float
    done: int
    app_s: float
    broker_s: float
    machine_s: float


class Steady(NamedTuple):
    """The measured part of a run: the share of all work that was done in it, and its ends."""

    share: float
    begin: Sample
    end: Sample

    @property
    def seconds(self) -> float:
        return self.end.at - self.begin.at


def steady(samples: Sequence[Sample], *, by_commits: bool, warm: float = WARM) -> Steady:
    """The part of a run from when it is warm to when all is done; samples are those at which something was new, after
    one at the start."""
    total = samples[-1].done
    first = next(i for i, sample in enumerate(samples) if sample.done >= warm * total)
    last = len(samples) - 1
    if by_commits:
        unfinished = sum(sample.done < NEARLY_ALL * total for sample in samples)
        last = unfinished - 1 if unfinished - 1 > first else min(unfinished, last)
    begin, end = samples[min(first, last - 1)], samples[last]
    return Steady((end.done - begin.done) / total, begin, end)


def client(bootstrap_servers: str) -> Any:
    """A client that is connected: what librdkafka is asked before it knows the brokers may be lost, and it asks again
    after 3 s, which would be counted as the start of the program."""
    admin = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 0})
    admin.list_topics(timeout=CONNECT_S)
    return admin
