"""Poison in the input: what is dropped, where, and which dead letters there are, is known beforehand."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from confluent_kafka import Message, Producer

from streams.cli.clients import admin_at
from streams.discovery import locate_broker
from streams.runtime.dead_letter import EXCEPTION
from tests.broker.waits import wait_for
from tests.integration.worker_fleet import RunningBroker, WorkerFleet
from tests.soak.letters.topology import DEAD, PARTITIONS, REMAINDERS, OddPartError, Post, app
from tests.soak.output_reader import OutputReader
from tests.soak.state import state_differences
from tests.soak.verdict import OutputCheck, multiset_check

OUTPUTS = ("posts-counted", "halves-counted", "labels", DEAD)
KEEP_ALL = {"retention.ms": "-1"}
USERS = 30
TIMEOUT_S = 60.0


class Input(NamedTuple):
    key: str
    value: bytes


def make_input(seed: int, count: int) -> list[Input]:
    """Of a hundred records, some five do not decode; of their parts, one in ten is odd."""
    draw = random.Random(seed)
    made: list[Input] = []
    for number in range(count):
        parts = [2 * draw.randrange(1_000) + (draw.random() < 0.1) for _ in range(draw.randrange(4))]
        value = b"garbage %d" % number if draw.random() < 0.05 else msgspec.json.encode(Post(number, parts))
        made.append(Input(f"u{draw.randrange(USERS)}", value))
    return made


def expected(records: Sequence[Input]) -> dict[str, Counter[Any]]:
    """Topic -> what must be on it, each as often as it must be: (key, value), of dead letters (value, exception)."""
    users, remainders = Counter[str](), Counter[str]()
    results: dict[str, Counter[Any]] = {topic: Counter() for topic in OUTPUTS}
    for key, value in records:
        try:
            post = msgspec.json.decode(value, type=Post)
        except msgspec.DecodeError:
            results[DEAD][value, "msgspec.DecodeError"] += 1
            continue
        users[key] += 1
        results["posts-counted"][key, b"%d" % users[key]] += 1
        for part in post.parts:
            if part % 2:
                results[DEAD][value, f"{OddPartError.__module__}.OddPartError"] += 1
                continue
            half = part // 2
            remainder = str(half % REMAINDERS)
            remainders[remainder] += 1
            results["halves-counted"][remainder, b"%d" % remainders[remainder]] += 1
            if half % 5:
                results["labels"][key, b"half-%d" % half] += 1
            else:
                results[DEAD][value, "TypeError"] += 1
    return results


class LettersFlow:
    """Every result once, and every dead letter once."""

    name = "letters"
    outputs = OUTPUTS
    partitions = PARTITIONS

    def __init__(self, broker: RunningBroker, directory: Path, *, faults: int, seed: int, per_fault: int = 500) -> None:
        """`seed`: of the input."""
        self._input = make_input(seed, (faults + 2) * per_fault)
        self._expected = expected(self._input)
        self.per_fault = per_fault
        self.length = len(self._input)
        self._scratch = directory / "restored"
        servers = broker.bootstrap_servers
        admin = admin_at(locate_broker(servers))
        for topic in ("posts", *OUTPUTS):
            admin.create_topic(topic, partitions=PARTITIONS, configs=KEEP_ALL)
        self.fleet = WorkerFleet("tests.soak.letters.topology:app", broker, directory)
        self._producer = Producer(
            {
                "bootstrap.servers": servers,
                "enable.idempotence": True,
                "linger.ms": 5,
                "partitioner": "murmur2_random",
                "log_level": 0,
            }
        )
        self._found: dict[str, Counter[Any]] = defaultdict(Counter)
        self._reader = OutputReader(servers, OUTPUTS, PARTITIONS, self._take)

    # -- while it runs -----------------------------------------------------------------------------------------------
    def send(self, start: int, end: int) -> None:
        for record in self._input[start:end]:
            self._producer.produce("posts", record.value, record.key, timestamp=1_700_000_000_000)
        self._producer.poll(0)

    def progress(self) -> str:
        return f"{self._found['posts-counted'].total():,} posts counted, {self._found[DEAD].total():,} dead letters"

    def finished(self) -> bool:
        assert self._producer.flush(TIMEOUT_S) == 0, "the input did not get to the broker"
        return self._reader.finished(lambda: all(check.exact for check in self._checks()))

    # -- the end -----------------------------------------------------------------------------------------------------
    def checks(self) -> list[OutputCheck]:
        wait_for(self._reader.at_end, "the outputs read to their ends", seconds=TIMEOUT_S)
        return self._checks()

    def findings(self) -> list[str]:
        """Stores that are not as their changelogs."""
        plan = app.plan().partitions({"posts": PARTITIONS})
        directories = [disk / "soak-letters" for disk in self.fleet.state_dirs]
        return state_differences(self.fleet.broker.bootstrap_servers, plan, directories, self._scratch)

    def close(self) -> None:
        self.fleet.close()
        self._reader.close()

    def _checks(self) -> list[OutputCheck]:
        return [multiset_check(topic, Counter(self._found[topic]), self._expected[topic]) for topic in OUTPUTS]

    def _take(self, messages: list[Message]) -> None:
        for message in messages:
            topic, key, value = message.topic(), message.key(), message.value()
            assert topic is not None
            assert isinstance(key, bytes)
            told: Any = key.decode()
            if topic == DEAD:
                headers: Any = message.headers()
                names: Mapping[str, bytes] = dict(headers)
                self._found[topic][value, names[EXCEPTION].decode()] += 1
            else:
                self._found[topic][told, value] += 1
