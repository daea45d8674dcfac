"""Queries while workers come, go and are killed: never a wrong value, 409 or 503 instead."""

from __future__ import annotations

import http.client
import random
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from tests.cluster import empty_cluster

KEYS = [f"k{i}" for i in range(40)]
LATER = {409, 412, 503}


class Oracle:
    """Produces, asks, and knows what an answer may be."""

    def __init__(self, servers: str, topic: str) -> None:
        self._producer = Producer({"bootstrap.servers": servers, "partitioner": "murmur2_random", "linger.ms": 0})
        self._topic = topic
        self.produced = dict.fromkeys(KEYS, 0)
        """Records of each key that were sent, counted before they are."""
        self.seen: dict[tuple[str, str], int] = {}
        self.answers: list[int] = []
        self.problems: list[str] = []
        self._lock = threading.Lock()

    def produce(self, key: str) -> str:
        """The position of the record."""
        with self._lock:
            self.produced[key] += 1
        places: list[str] = []
        self._producer.produce(
            self._topic,
            (1).to_bytes(8, "big"),
            key,
            on_delivery=lambda error, record: places.append(f"{record.topic()}:{record.partition()}:{record.offset()}"),
        )
        assert self._producer.flush(10) == 0
        return places[0]

    def check(self, endpoint: str, store: str, key: str, *, position: str = "") -> int:
        """Asks, and notes what is wrong with the answer: a count never goes back, and none is more than was sent."""
        with self._lock:
            least = self.seen.get((store, key), 0)
            if position:
                least = max(least, self.produced[key])
        path = f"http://{endpoint}/stores/{store}/{key}" + (f"?position={position}&wait_ms=8000" if position else "")
        try:
            with urllib.request.urlopen(path, timeout=20) as answer:
                status, body = answer.status, msgspec.json.decode(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                status, body = error.code, msgspec.json.decode(error.read())
                if status in LATER and not error.headers["Retry-After"]:
                    self.problems.append(f"{status} without Retry-After")
        except (OSError, http.client.HTTPException):
            return 0  # the one that is asked is gone, perhaps in the middle of its answer
        with self._lock:
            self.answers.append(status)
            count = body["value"] if status == 200 else 0
            if status == 200:
                self.seen[store, key] = max(self.seen.get((store, key), 0), count)
            wrong = status not in {200, 404} | LATER
            if status in (200, 404) and not least <= count <= self.produced[key]:
                wrong = True
            if wrong:
                self.problems.append(f"{store}/{key} at {endpoint}: {status} {body}, {least} to {self.produced[key]}")
        return status

    def after(self, answers: int) -> None:
        """Returns when so many more were given."""
        until, deadline = len(self.answers) + answers, time.monotonic() + 60
        while len(self.answers) < until:
            assert time.monotonic() < deadline, "no more answers"
            time.sleep(0.05)


class Workers:
    """Worker processes."""

    def __init__(self, servers: str, name: str, directory: Path) -> None:
        self._arguments = name, servers
        self._directory = directory
        self.processes: dict[str, subprocess.Popen[str]] = {}

    def start(self, state: str) -> str:
        """One more; where it can be asked."""
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.streams.query.counting_worker",
                *self._arguments,
                str(self._directory / state),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert process.stdout is not None
        endpoint = process.stdout.readline().strip()
        assert endpoint
        self.processes[endpoint] = process
        return endpoint

    def end(self, endpoint: str, *, kill: bool = False) -> None:
        process = self.processes.pop(endpoint)
        if kill:
            process.kill()
        else:
            process.terminate()
        process.wait(30)
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture
def servers() -> Iterator[str]:
    with empty_cluster() as cluster:
        yield cluster.bootstrap_servers


def ready(endpoint: str, partitions: int) -> bool:
    """Whether somebody answers for all partitions."""
    try:
        with urllib.request.urlopen(f"http://{endpoint}/stores", timeout=10) as answer:
            stores: list[dict[str, Any]] = msgspec.json.decode(answer.read())
    except OSError:
        return False
    return all(len([o for o in store["owners"].values() if o]) == partitions for store in stores)


def until_found(oracle: Oracle, endpoint: str, store: str, key: str, position: str) -> None:
    """While it waits for a commit, or moves a task once more, a worker may say that it cannot answer yet."""
    deadline = time.monotonic() + 40
    while (status := oracle.check(endpoint, store, key, position=position)) != 200:
        assert status in LATER
        assert time.monotonic() < deadline


def until_ready(endpoint: str) -> None:
    deadline = time.monotonic() + 40
    while not ready(endpoint, 4):
        assert time.monotonic() < deadline, "partitions without an owner"
        time.sleep(0.05)


def test_answers_are_right_while_workers_join_leave_and_are_killed(servers: str, tmp_path: Path) -> None:
    """All keys are asked of every worker all the time; counts never go back, and with a position they have what was
    produced before."""
    admin = AdminClient({"bootstrap.servers": servers})
    admin.create_topics([NewTopic("app-in", 4)])["app-in"].result(10)
    oracle, workers = Oracle(servers, "app-in"), Workers(servers, "app", tmp_path)
    stop = threading.Event()

    def keep_asking(seed: int) -> None:
        rng = random.Random(seed)
        while not stop.is_set():
            for endpoint in list(workers.processes):
                key = rng.choice(KEYS)
                if seed == 0:
                    oracle.check(endpoint, rng.choice(("counts", "again")), key, position=oracle.produce(key))
                else:
                    oracle.check(endpoint, rng.choice(("counts", "again")), key)

    threads = [threading.Thread(target=keep_asking, args=(seed,)) for seed in range(3)]
    try:
        first = workers.start("one")
        for key in KEYS:
            oracle.produce(key)
        until_ready(first)
        for thread in threads:
            thread.start()
        second = workers.start("two")
        oracle.after(200)
        until_ready(second)
        workers.end(first)
        third = workers.start("one")
        oracle.after(200)
        workers.end(second, kill=True)
        oracle.after(50)
        fourth = workers.start("two")
        until_ready(fourth)
        oracle.after(200)
        stop.set()
        for thread in threads:
            thread.join(30)
        positions = {key: oracle.produce(key) for key in KEYS}
        for store in ("counts", "again"):
            for key, position in positions.items():
                for endpoint in (third, fourth):
                    until_found(oracle, endpoint, store, key, position)
                assert oracle.seen[store, key] == oracle.produced[key]
    finally:
        stop.set()
        for endpoint in list(workers.processes):
            workers.end(endpoint, kill=True)
    assert oracle.problems == []
    assert oracle.answers.count(200) > 100
    assert set(oracle.answers) & LATER, "nothing was ever moving: the test shows nothing"
