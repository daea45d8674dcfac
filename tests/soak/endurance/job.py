"""The application from outside: its topics, two workers that stay, one that comes and goes, the load, the sums."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import msgspec
from confluent_kafka import Message

from broker import Broker
from streams.cli.clients import admin_at
from streams.cli.worker_process import WorkerProcess
from streams.discovery import locate_broker
from tests.integration.worker_fleet import WorkerFleet
from tests.soak.endurance.topology import OUTPUTS, PARTITIONS
from tests.soak.output_reader import OutputReader

BOUNDED = {"retention.bytes": str(16 * 2**20), "segment.bytes": str(4 * 2**20)}
"""Of each partition: the log must not grow either, and reaches its bound long before the part that is judged. At 8,000
visits a second it holds those of the last ten minutes."""
CHANGES = ("joins", "leaves", "joins", "is killed")
DISKS = 3


class Job:
    """`change` does the next thing to the worker that comes and goes. `counted` are the sums of the outputs."""

    def __init__(self, broker: Broker, directory: Path) -> None:
        admin = admin_at(locate_broker(broker.bootstrap_servers))
        for topic in ("visits", *OUTPUTS):
            admin.create_topic(topic, partitions=PARTITIONS, configs=BOUNDED)
        admin.create_topic("users", partitions=PARTITIONS, configs={"cleanup.policy": "compact"})
        self.counted: Counter[str] = Counter()
        self.changes = 0
        self.fleet = WorkerFleet("tests.soak.endurance.topology:app", broker, directory)
        self.fleet.spread(DISKS)
        self.fleet.accepted_exits = {None, 0, -9}
        self._reader = OutputReader(broker.bootstrap_servers, OUTPUTS, PARTITIONS, self._count)
        self._load = subprocess.Popen(
            [sys.executable, "-m", "tests.soak.endurance.load", broker.bootstrap_servers],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.steady = [self.fleet.start() for _ in range(DISKS - 1)]
        self._guest: WorkerProcess | None = None

    @property
    def longest_silence_s(self) -> float:
        return self._reader.longest_s

    def send(self, rate: int) -> None:
        """Visits a second, from now on."""
        assert self._load.stdin is not None
        assert self._load.poll() is None, "the load has ended"
        self._load.stdin.write(f"rate {rate}\n")
        self._load.stdin.flush()

    def change(self) -> str:
        kind = CHANGES[self.changes % len(CHANGES)]
        if self._guest is None:
            self._guest = self.fleet.start()
        else:
            (self.fleet.stop if kind == "leaves" else self.fleet.kill)(self._guest)
            self._guest = None
        self.changes += 1
        self.fleet.check()
        return kind

    def finish(self) -> int:
        """Ends the load. Returns how many visits it sent."""
        sent, _ = self._load.communicate("close\n", timeout=120)
        return int(sent)

    def close(self) -> None:
        self._load.kill()
        self._load.wait()
        self.fleet.close()
        self._reader.close()

    def _count(self, messages: list[Message]) -> None:
        for message in messages:
            value, topic = message.value(), message.topic()
            assert topic is not None
            if value is not None:
                self.counted[topic] += msgspec.json.decode(value)["count"]
