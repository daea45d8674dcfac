"""`emit="close"` in a real worker: partitions that stay empty or fall silent, restarts, and state that is lost."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from streams import App, F, Json, hopping, session, sliding, tumbling
from tests.streams.runtime.bench import Bench, RunningWorker, until

MS = timedelta(milliseconds=1)
PARTITIONS = 4
IDLE: dict[str, Any] = {"watermark_idle_timeout_ms": 300}
NEVER_IDLE: dict[str, Any] = {"watermark_idle_timeout_ms": 60_000}

WINDOWS: dict[str, Any] = {
    "tumbling": tumbling(100 * MS, grace=20 * MS),
    "hopping": hopping(100 * MS, 50 * MS, grace=20 * MS),
    "sliding": sliding(100 * MS, grace=20 * MS),
    "session": session(60 * MS, grace=20 * MS),
}
Final = tuple[str, str, int, int, int]
"""Kind of windows, key, start, end, count."""


class Finals:
    """The final counts of four kinds of windows at once, behind a repartition."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.app = App(bench.tag)
        stream = self.app.stream(bench.name("in"), key=str, value=Json())
        grouped = stream.group_by(F.k, key=str, name="by-k")
        self._keys: dict[str, Any] = {}
        for name, windows in WINDOWS.items():
            table = grouped.windowed_by(windows, emit="close").count(store=name)
            self._keys[name] = table.node.schema.key_serde()
            table.to_stream().to(bench.name(name))
        bench.topics(**dict.fromkeys(("in", *WINDOWS), PARTITIONS))
        self.tasks = bench.partition_plan(self.app, **{"in": PARTITIONS}).tasks

    def send(self, *records: tuple[str, int], partition: int) -> None:
        """(group, timestamp) records."""
        made = [("any", json.dumps({"k": key}).encode(), ts) for key, ts in records]
        self.bench.produce("in", *made, partition=partition)

    def worker(self, directory: str = "state", **options: Any) -> RunningWorker:
        return self.bench.run(self.app, *self.tasks, directory=directory, **options)

    def read(self) -> list[Final]:
        """What came out so far, each as often as it did, sorted."""
        found: list[Final] = []
        for name, written in self.bench.read_each(*WINDOWS).items():
            for message in written:
                key = self._keys[name].deserialize(message.key())
                found.append((name, key.key, key.start, key.end, int.from_bytes(message.value() or b"", "big")))
        return sorted(found)

    def wait_for(self, expected: list[Final]) -> None:
        """Until as many are there; they have to be these."""
        until(lambda: len(self.read()) >= len(expected), f"{len(expected)} final results")
        assert self.read() == sorted(expected)


@pytest.fixture
def finals(bench: Bench) -> Finals:
    return Finals(bench)


def of_two_records(key: str, at: int) -> list[Final]:
    """What two records of a key give, at `at` (a multiple of 100) and 30 ms later."""
    return [
        ("tumbling", key, at, at + 100, 2),
        ("hopping", key, at - 50, at + 50, 2),
        ("hopping", key, at, at + 100, 2),
        ("sliding", key, at - 100, at, 1),
        ("sliding", key, at - 70, at + 30, 2),
        ("sliding", key, at + 1, at + 101, 1),
        ("session", key, at, at + 30, 2),
    ]


def test_windows_close_though_partitions_are_empty_or_silent(finals: Finals) -> None:
    """Two of four partitions never have a record and one has a single old one: for the idle timeout they hold all
    back, then no more. What is newest in its own partition waits for a later record."""
    finals.send(("x", 1_000), ("x", 1_030), partition=0)
    finals.send(("x", 1_010), partition=2)
    worker = finals.worker(**NEVER_IDLE)
    finals.send(("x", 2_000), ("x", 2_030), partition=0)
    until(lambda: worker.processed() == 10, "all records, on both sides")
    worker.stop()
    assert finals.read() == [], "partitions that may still bring older records hold windows open"
    worker = finals.worker(**IDLE)
    first = [
        ("tumbling", "x", 1_000, 1_100, 3),
        ("hopping", "x", 950, 1_050, 3),
        ("hopping", "x", 1_000, 1_100, 3),
        ("sliding", "x", 900, 1_000, 1),
        ("sliding", "x", 910, 1_010, 2),
        ("sliding", "x", 930, 1_030, 3),
        ("sliding", "x", 1_001, 1_101, 2),
        ("sliding", "x", 1_011, 1_111, 1),
        ("session", "x", 1_000, 1_030, 3),
    ]
    # the clock stands at 2030: [1900, 2000] ended before 2010
    finals.wait_for([*first, ("sliding", "x", 1_900, 2_000, 1)])
    finals.send(("x", 9_000), partition=3)
    finals.wait_for([*first, *of_two_records("x", 2_000)])
    worker.stop()


@pytest.mark.parametrize("directory", ["state", "elsewhere"])
def test_windows_come_out_once_though_workers_restart(finals: Finals, directory: str) -> None:
    """What is out stays out, what is open is found again, with its directory and without; a record that comes too late
    after the restart changes nothing."""
    finals.send(("x", 1_000), ("x", 1_030), ("y", 2_000), ("y", 2_030), ("x", 3_000), ("x", 3_030), partition=0)
    worker = finals.worker(**IDLE)
    closed = [*of_two_records("x", 1_000), ("sliding", "x", 2_900, 3_000, 1)]
    until(lambda: len(finals.read()) >= len(closed), "the first final results")
    before = finals.read()
    worker.stop()
    worker = finals.worker(directory, **IDLE)
    finals.send(("x", 1_020), partition=0)
    finals.send(*((key, 9_000) for key in "abcdefghijklxy"), partition=0)
    everything = [*of_two_records("x", 1_000), *of_two_records("y", 2_000), *of_two_records("x", 3_000)]
    finals.wait_for(everything)
    worker.stop()
    assert set(before) <= set(everything)
    assert worker.worker.counters()["dropped_late"] > 0
