"""A worker process on a bundled broker, seen from outside: when it is ready, what it takes of memory and CPU."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from broker import Broker

LIMIT_S = 120.0
MIB = 2**20


@dataclass(frozen=True, slots=True)
class Taken:
    """Of a process: CPU in s since its start, memory in MiB, open files, threads."""

    cpu_s: float
    rss: float
    pss: float
    files: int
    threads: int


class WorkerProcess:
    """Runs tasks of `bench.scale.worker`; keeps what the worker said last."""

    def __init__(self, servers: str, state: Path, *, stores: int, kind: str) -> None:
        command = [sys.executable, "-m", "bench.scale.worker", servers, str(state), str(stores), kind]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self._meter = psutil.Process(self._process.pid)
        self._said: dict[str, int] = {}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.started = time.monotonic()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            what, number = json.loads(line)
            self._said[what] = number

    def wait_for(self, what: str, number: int) -> None:
        """Until it has said so much. Raises SystemExit if that takes too long."""
        end = time.monotonic() + LIMIT_S
        while self._said.get(what, 0) < number:
            if self._process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"the worker got no further than {self._said} of {number} {what}")
            time.sleep(0.02)

    @property
    def processed(self) -> int:
        return self._said.get("processed", 0)

    def taken(self) -> Taken:
        return taken(self._meter)

    def kill(self) -> None:
        """Its state is of no more use: closing a thousand tasks properly takes a minute."""
        self._process.kill()
        self._process.wait(60)


def taken(meter: psutil.Process) -> Taken:
    memory, cpu = meter.memory_full_info(), meter.cpu_times()
    return Taken(cpu.user + cpu.system, memory.rss / MIB, memory.pss / MIB, meter.num_fds(), meter.num_threads())


@dataclass(frozen=True, slots=True)
class Site:
    """A broker with the input topic, and a worker on it."""

    servers: str
    worker: WorkerProcess
    broker: psutil.Process

    def load(self, records: int, keys: int) -> None:
        """Produces records of so many keys, evenly over the partitions, and waits until they are processed."""
        producer: Any = Producer({"bootstrap.servers": self.servers, "partitioner": "murmur2_random", "linger.ms": 50})
        goal = self.worker.processed + records
        for number in range(records):
            key = b"k%d" % (number % keys)
            while True:
                try:
                    producer.produce("in", key, key, timestamp=number)
                    break
                except BufferError:
                    producer.poll(0.1)
        producer.flush()
        self.worker.wait_for("processed", goal)


def broker_process() -> psutil.Process:
    """The only process of ours, beside the worker."""
    [found] = [child for child in psutil.Process().children() if "broker.child" in child.cmdline()]
    return found


@contextmanager
def site(partitions: int, *, stores: int = 1, kind: str = "one") -> Iterator[Site]:
    """While it is open, all tasks of the application run in the worker. `kind` is "one" or "two" sub-topologies."""
    tasks = partitions * (2 if kind == "two" else 1)
    with Broker() as broker, tempfile.TemporaryDirectory() as state:
        admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
        for made in admin.create_topics([NewTopic("in", partitions)]).values():
            made.result(60)
        worker = WorkerProcess(broker.bootstrap_servers, Path(state), stores=stores, kind=kind)
        try:
            worker.wait_for("tasks", tasks)
            yield Site(broker.bootstrap_servers, worker, broker_process())
        finally:
            worker.kill()
