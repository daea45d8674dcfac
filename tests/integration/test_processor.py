"""A processor with a store and both kinds of punctuators, on the bundled broker, over a restart that loses its disk."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import OffsetSpec

from streams import App, ProcessingError, Processor, ProcessorContext, Record, Stores
from streams.plan.task_id import TaskId
from tests.cluster import Cluster
from tests.streams.runtime.bench import DEADLINE_S, Bench, until

TOTALS = Stores.key_value("totals", key=str, value=int)


@pytest.fixture
def bench(cluster: Cluster, tmp_path: Path) -> Iterator[Bench]:
    with Bench(cluster.bootstrap_servers, tmp_path, "processor") as ready:
        yield ready


class Totals(Processor[str, int]):
    """Adds up values by key; every 100 ms of events forwards all sums, every 20 ms of the day a sign of life."""

    def init(self, context: ProcessorContext[str, int]) -> None:
        super().init(context)
        self.totals = context.store(TOTALS)
        context.schedule(timedelta(milliseconds=100), "stream_time", self.sums)
        context.schedule(timedelta(milliseconds=20), "wall_clock_time", self.alive)

    def process(self, record: Record[str, int]) -> None:
        self.totals.put(record.key, (self.totals.get(record.key) or 0) + record.value)
        if record.value == 0:
            self.context.commit()

    def sums(self, now: int) -> None:
        with self.totals.all() as entries:
            for key, total in entries:
                self.context.forward(Record(key, total, now), child="sums")

    def alive(self, now: int) -> None:
        self.context.forward(Record(f"task {self.context.task_id}", 1, now), child="life")


def topology(bench: Bench) -> App:
    app = App(bench.tag)
    app.add_store(TOTALS)
    processed = app.stream(bench.name("in"), key=str, value=int).process(Totals, stores=[TOTALS])
    processed.to(bench.name("sums"), name="sums")
    processed.to(bench.name("life"), name="life")
    return app


def test_processor_is_closed_after_the_last_commit_of_its_task(bench: Bench) -> None:
    """So what it writes then is lost, and is not half of something."""
    committed: list[Any] = []

    class Late(Processor[str, int]):
        def process(self, record: Record[str, int]) -> None:
            self.context.store(TOTALS).put(record.key, record.value)

        def close(self) -> None:
            committed.append(bench.offsets.get((bench.name("in"), 0)))
            self.context.store(TOTALS).put("late", 1)

    def app() -> App:
        made = App(bench.tag)
        made.stream(bench.name("in"), key=str, value=int).process(Late, stores=[TOTALS])
        return made

    bench.topics(**{"in": 1})
    bench.produce("in", ("k", number(1), 1), ("k", number(2), 2))
    worker = bench.run(app(), TaskId(0, 0), commit_interval_ms=60_000)
    until(lambda: worker.processed() == 2, "the records")
    assert bench.offsets == {}
    worker.stop()
    assert [place.offset for place in committed] == [2]
    changelog = bench.read(f"{bench.tag}-totals-changelog", own=False)
    assert [(message.key(), message.value()) for message in changelog] == [(b"k", number(2))]


def number(value: int) -> bytes:
    return value.to_bytes(8, "big", signed=True)


def sums(bench: Bench) -> list[tuple[str, int, int]]:
    return [
        (message.key().decode(), int.from_bytes(message.value(), "big"), message.timestamp()[1])
        for message in bench.read("sums")
    ]


def written(bench: Bench, topic: str) -> int:
    """How many records a topic has; one that is written to all the time has no end to read to."""
    place = TopicPartition(bench.name(topic), 0)
    return bench.admin.list_offsets({place: OffsetSpec.latest()})[place].result(DEADLINE_S).offset


def test_processor_keeps_its_store_over_a_lost_disk_and_punctuates_by_both_clocks(bench: Bench) -> None:
    """Sums come at the first record past each 100 ms; after the restart the store is back from its changelog."""
    bench.topics(**{"in": 1, "sums": 1, "life": 1})
    began = time.time_ns() // 1_000_000
    first = bench.run_in_group(topology(bench), directory="here")
    bench.produce("in", *((f"k{i % 2}", number(i), 1_000 + 30 * i) for i in range(10)))
    until(lambda: first.processed() == 10, "ten records")
    until(lambda: written(bench, "life") >= 3, "three signs of life")
    first.stop()
    assert sums(bench) == [
        ("k0", 0, 1_000),
        ("k0", 6, 1_120), ("k1", 4, 1_120),
        ("k0", 12, 1_210), ("k1", 16, 1_210),
    ]  # fmt: skip
    again = bench.run_in_group(topology(bench), directory="there")
    bench.produce("in", ("k1", number(100), 1_050))
    until(lambda: again.processed() == 1, "one more record")
    again.stop()
    assert sums(bench)[5:] == [("k0", 20, 1_270), ("k1", 125, 1_270)], "the partition's time was kept with its offset"
    assert again.heard.restored
    life = [message.timestamp()[1] for message in bench.read("life")]
    assert life == sorted(life)
    assert began < life[0]
    assert {message.key() for message in bench.read("life")} == {b"task 0_0"}


def test_processor_commit_is_done_soon(bench: Bench) -> None:
    """Long before the interval is over."""
    bench.topics(**{"in": 1, "sums": 1, "life": 1})
    worker = bench.run_in_group(topology(bench), commit_interval_ms=3_600_000)
    bench.produce("in", ("k", number(5), 1_000))
    until(lambda: worker.processed() == 1, "a record")
    commits = worker.heard.commits
    bench.produce("in", ("k", number(0), 1_001))
    until(lambda: worker.heard.commits > commits, "the commit that was asked for")
    worker.stop()


def test_failing_wall_clock_punctuator_ends_the_worker_or_is_skipped_and_counted(bench: Bench) -> None:
    class Fails(Processor[str, int]):
        def init(self, context: ProcessorContext[str, int]) -> None:
            context.schedule(timedelta(milliseconds=5), "wall_clock_time", self.fail)

        def fail(self, now: int) -> None:
            raise RuntimeError("no time")

    bench.topics(**{"in": 1})
    app = App(bench.tag)
    app.stream(bench.name("in"), key=str, value=int).process(Fails, name="fails")
    error = bench.run_in_group(app).failure()
    assert isinstance(error, ProcessingError)
    assert error.node == "fails"
    seen: list[Any] = []

    def skip(failed: Any) -> Any:
        seen.append(failed.message)
        return "continue"

    worker = bench.run_in_group(app, processing_handler=skip)
    until(lambda: worker.worker.counters().get("skipped_processing", 0) >= 2, "two skipped punctuations")
    worker.stop()
    assert set(seen) == {None}
