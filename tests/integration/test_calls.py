"""Records in flight and exactly once: workers are killed while functions are being called for them."""

from __future__ import annotations

import json
import time
from itertools import accumulate
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from streams.cli.worker_process import WorkerCommand, WorkerProcess
from tests.cluster import Cluster
from tests.integration.calls_app import ANSWERS, ORDERS, RANKED, REQUESTS, TOTALS

PARTITIONS = 2
KEYS = 8
RECORDS = 2_000
DEADLINE_S = 120.0


def number(value: int) -> bytes:
    return value.to_bytes(8, "big", signed=True)


class Outputs:
    """What committed transactions have written, partition by partition."""

    def __init__(self, servers: str) -> None:
        self.values: dict[tuple[str, int], list[tuple[str, int]]] = {}
        self._consumer = Consumer({"bootstrap.servers": servers, "group.id": "outputs", "log_level": 0})
        places = [(topic, partition) for topic in (ANSWERS, RANKED, TOTALS) for partition in range(PARTITIONS)]
        self._consumer.assign([TopicPartition(*place, 0) for place in places])

    def read_until(self, count: int, *topics: str) -> None:
        """Until the topics have at least as many records each."""
        end = time.monotonic() + DEADLINE_S
        while any(len(self.of(topic)) < count for topic in topics):
            self._read(0.1)
            assert time.monotonic() < end, {topic: len(self.of(topic)) for topic in topics}

    def read_rest(self) -> None:
        """What may still come."""
        end = time.monotonic() + 1.0
        while time.monotonic() < end:
            self._read(0.1)

    def _read(self, wait_s: float) -> None:
        for message in self._consumer.consume(1000, wait_s):
            topic, partition, raw = message.topic(), message.partition(), message.value()
            assert message.error() is None
            value = json.loads(raw) if topic == RANKED else int.from_bytes(raw, "big", signed=True)
            self.values.setdefault((topic, partition), []).append((message.key().decode(), value))

    def of(self, topic: str) -> list[tuple[str, int]]:
        return [each for place, values in self.values.items() if place[0] == topic for each in values]

    def of_key(self, topic: str, key: int) -> list[int]:
        return [value for each, value in self.of(topic) if each == f"k{key}"]

    def close(self) -> None:
        self._consumer.close()


@pytest.fixture
def servers(cluster: Cluster) -> str:
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap_servers, "log_level": 0})
    topics = [NewTopic(topic, PARTITIONS) for topic in (REQUESTS, ORDERS, ANSWERS, TOTALS, RANKED)]
    for future in admin.create_topics(topics).values():
        future.result(DEADLINE_S)
    return cluster.bootstrap_servers


def load(servers: str) -> None:
    producer = Producer({"bootstrap.servers": servers, "log_level": 0})
    for i in range(RECORDS):
        key = i % KEYS
        producer.produce(REQUESTS, number(i), f"k{key}", key % PARTITIONS, timestamp=1_000 + i)
        producer.produce(ORDERS, number(i), f"k{key}", key % PARTITIONS, timestamp=1_000 + i)
    assert producer.flush(DEADLINE_S) == 0


def test_results_come_once_and_in_order_though_workers_are_killed_with_calls_in_flight(
    servers: str, tmp_path: Path
) -> None:
    """Two workers, killed one after the other and replaced."""
    load(servers)

    def start(directory: str) -> WorkerProcess:
        home = tmp_path / "home"
        home.mkdir(exist_ok=True)
        command = WorkerCommand(
            application="tests.integration.calls_app:app",
            bootstrap_servers=servers,
            state_dir=tmp_path / directory,
            home=home,
        )
        with (tmp_path / "worker.log").open("ab") as log:
            return WorkerProcess(command, talk_to=log)

    outputs = Outputs(servers)
    workers = [start("one"), start("two")]
    try:
        for turn, count in enumerate((200, 600, 1_000)):
            outputs.read_until(count, ANSWERS, RANKED)
            assert len(outputs.of(ANSWERS)) < RECORDS
            workers.pop(0).end(0)
            workers.append(start(("one", "two")[turn % 2]))
        outputs.read_until(RECORDS, ANSWERS, RANKED, TOTALS)
        outputs.read_rest()
        for worker in workers:
            worker.ask_to_stop()
            assert worker.end(DEADLINE_S)
            assert worker.exit_code() == 0, (tmp_path / "worker.log").read_text()[-4000:]
    finally:
        for worker in workers:
            worker.end(0)
        outputs.close()
    for key in range(KEYS):
        sent = range(key, RECORDS, KEYS)
        results = [i * 10 + 1 for i in sent]
        assert outputs.of_key(ANSWERS, key) == results
        assert outputs.of_key(TOTALS, key) == list(accumulate(results))
        assert outputs.of_key(RANKED, key) == list(range(1, len(sent) + 1))
