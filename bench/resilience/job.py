"""The measured job from outside: its topics, its worker processes, the load and the committed output."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic


class Job:
    """Topics `in` and `out`, partitioned alike, and workers with their logs in `directory`."""

    def __init__(self, bootstrap_servers: str, directory: Path, partitions: int) -> None:
        self.servers = bootstrap_servers
        self.directory = directory
        self.partitions = partitions
        self.workers: list[subprocess.Popen[bytes]] = []
        admin = AdminClient({"bootstrap.servers": bootstrap_servers})
        for made in admin.create_topics([NewTopic(name, partitions) for name in ("in", "out")]).values():
            made.result(20)
        self.producer = Producer(
            {"bootstrap.servers": bootstrap_servers, "partitioner": "murmur2_random", "linger.ms": 1}
        )

    def start(self, name: str, **environment: str) -> subprocess.Popen[bytes]:
        """A worker; of the same name means in the place of the one before, on its state."""
        command = [sys.executable, "-m", "bench.resilience.worker", self.servers, "job", str(self.directory / name)]
        with (self.directory / f"{name}.log").open("ab") as log:
            self.workers.append(subprocess.Popen(command, stdout=log, env={**os.environ, **environment}))
        return self.workers[-1]

    def stop(self) -> None:
        for worker in self.workers:
            worker.terminate()
        for worker in self.workers:
            worker.wait(30)

    def told(self, name: str, what: str) -> list[list[Any]]:
        """What the worker said of one kind: lists that begin with the time."""
        lines = map(json.loads, (self.directory / f"{name}.log").read_text().splitlines())
        return [[at, *rest] for at, kind, *rest in lines if kind == what]

    def running(self, name: str) -> set[int]:
        """The partitions whose tasks the worker runs, as it said last."""
        told = self.told(name, "tasks")
        return set(told[-1][1]) if told else set()

    def produce(self, value: bytes, key: str) -> None:
        while True:
            try:
                self.producer.produce("in", value, key, timestamp=int(time.time() * 1000))
                return
            except BufferError:
                self.producer.poll(0.1)

    def output(self) -> Consumer:
        """A reader of `out` from its beginning that sees what is committed."""
        consumer = Consumer({"bootstrap.servers": self.servers, "group.id": "reader", "fetch.wait.max.ms": 10})
        consumer.assign([TopicPartition("out", partition, 0) for partition in range(self.partitions)])
        return consumer

    @contextmanager
    def observed_load(self, records_per_s: int, keys: int = 2_000) -> Iterator[dict[int, list[tuple[float, float]]]]:
        """While it is open, records come at that rate, and outputs are noted: partition → (seen at, latency in s)."""
        seen: dict[int, list[tuple[float, float]]] = {partition: [] for partition in range(self.partitions)}
        over = threading.Event()

        def load() -> None:
            began, sent = time.monotonic(), 0
            while not over.is_set():
                while sent < (time.monotonic() - began) * records_per_s:
                    self.produce(b"x", f"k{sent % keys}")
                    sent += 1
                self.producer.poll(0)
                over.wait(0.005)

        def observe() -> None:
            consumer = self.output()
            while not over.is_set():
                for message in consumer.consume(1_000, 0.02):
                    if message.error() is None:
                        now = time.time()
                        seen[message.partition()].append((now, now - message.timestamp()[1] / 1000))
            consumer.close()

        threads = [threading.Thread(target=each) for each in (load, observe)]
        for thread in threads:
            thread.start()
        try:
            yield seen
        finally:
            over.set()
            for thread in threads:
                thread.join()


def quantile(values: list[float], share: float) -> float:
    """The value below which `share` of them lie."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]
