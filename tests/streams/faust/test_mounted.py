"""Two Faust workers with an application mounted in each, as processes."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from tests.cluster import any_cluster

ROOT = Path(__file__).parents[3]
WORDS = [f"w{number}" for number in range(12)]
PATIENCE_S = 90.0


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=10)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class FaustWorker:
    def __init__(self, servers: str, directory: Path, slot: int) -> None:
        self.socket = Path(mkdtemp(prefix="faust-")) / "web.sock"  # a short path: sockets have room for 107 bytes
        (directory / f"data-{slot}").mkdir()
        self.log = directory / f"worker-{slot}.log"
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "BROKER": servers,
            "DATA": str(directory / f"data-{slot}"),
            "SOCKET": str(self.socket),
            "SLOT": str(slot),
        }
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.streams.faust.mounted", "worker", "-l", "warn"],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
            )

    def ask(self, path: str) -> tuple[int, Any]:
        """(0, None) while nobody listens."""
        connection = UnixConnection(self.socket)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        except OSError:
            return 0, None
        finally:
            connection.close()

    def until(self, ready: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not ready():
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            assert time.monotonic() < deadline, f"no {what}: {self.log.read_text()[-3000:]}"
            time.sleep(0.05)


@contextmanager
def faust_workers(servers: str, directory: Path, number: int) -> Iterator[list[FaustWorker]]:
    workers = [FaustWorker(servers, directory, slot) for slot in range(number)]
    try:
        yield workers
    finally:
        for worker in workers:
            worker.process.kill()
            worker.process.wait()
            shutil.rmtree(worker.socket.parent)


def produce(servers: str, topic: str, records: list[tuple[str, bytes]]) -> None:
    producer = Producer({"bootstrap.servers": servers, "partitioner": "murmur2_random"})
    for key, value in records:
        producer.produce(topic, value, key)
    assert producer.flush(20) == 0


def answers(servers: str, workers: list[FaustWorker]) -> dict[str, set[int | None]]:
    """Word -> the counts that agents have said, when they have answered for all words. What has no answer is asked
    again: a Faust worker that is given partitions may leave records of the backlog out."""
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "look", "auto.offset.reset": "earliest"})
    consumer.assign([TopicPartition("answers", partition, 0) for partition in range(2)])
    found: dict[str, set[int | None]] = {}
    deadline, ask_again = time.monotonic() + PATIENCE_S, 0.0
    try:
        while len(found) < len(WORDS) and time.monotonic() < deadline:
            assert all(worker.process.poll() is None for worker in workers)
            if time.monotonic() > ask_again:
                produce(servers, "questions", [(word, word.encode()) for word in WORDS if word not in found])
                ask_again = time.monotonic() + 5.0
            for message in consumer.consume(100, 0.1):
                assert message.error() is None
                found.setdefault(message.key().decode(), set()).add(json.loads(message.value())["count"])
    finally:
        consumer.close()
    return found


def counted(worker: FaustWorker) -> bool:
    """Whether its view has the whole count of each word."""
    return all((worker.ask(f"/stores/counts/{word}/")[1] or {}).get("value") == 3 for word in WORDS)


@pytest.mark.timeout(300)
def test_agents_and_views_of_every_worker_read_all_stores_and_a_worker_leaves_in_order(tmp_path: Path) -> None:
    """Rows of the other worker are asked of it, and what stops has committed."""
    with any_cluster() as servers:
        admin = AdminClient({"bootstrap.servers": servers})
        topics = [NewTopic(name, 2, 1) for name in ("words", "questions", "answers")]
        for future in admin.create_topics(topics).values():
            future.result(20)
        produce(servers, "words", [(word, (1).to_bytes(8, "big")) for word in WORDS for _ in range(3)])
        with faust_workers(servers, tmp_path, 2) as (first, second):
            first.until(lambda: counted(first), "rows")
            second.until(lambda: counted(second), "rows")
            assert answers(servers, [first, second]) == {word: {3} for word in WORDS}
            status, page = first.ask("/stores/counts/?limit=100")
            assert (status, sorted(row["key"] for row in page["rows"])) == (200, sorted(WORDS))
            assert {row["value"] for row in page["rows"]} == {3}
            assert first.ask("/stores/counts/nobody/")[0] == 404
            assert first.ask("/stores/nothing/x/")[0] == 404

            first.process.terminate()
            assert first.process.wait(60) == 0, first.log.read_text()[-3000:]
            second.until(lambda: counted(second), "rows of the one that left")
            second.process.terminate()
            assert second.process.wait(60) == 0, second.log.read_text()[-3000:]
