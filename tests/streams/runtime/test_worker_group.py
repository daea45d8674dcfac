"""Workers that share an application through its consumer group."""

from __future__ import annotations

import json
from datetime import timedelta

from streams import App, F, count, tumbling
from tests.streams.runtime.bench import Bench, until

DAY_MS = 86_400_000


def counting(bench: Bench) -> App:
    app = App(bench.tag)
    counted = app.stream(bench.name("in"), key=str, value=dict).group_by_key().count(store="counts")
    counted.to_stream().to(bench.name("out"), value=int)
    return app


def numbered(first: int, count: int) -> list[tuple[str, bytes, int]]:
    return [(f"k{i % 20}", b"{}", 1_000 + i) for i in range(first, first + count)]


def counted(bench: Bench) -> int:
    """The sum of the newest results, which tells when all is done. How many records were processed does not: those
    whose transaction was given up in a rebalance are processed again."""
    return sum(int.from_bytes(value or b"", "big") for value in bench.latest("out").values())


def test_group_two_workers_join_and_leave_counts_stay_right(bench: Bench) -> None:
    """Tasks move when a worker comes and when it goes; each clean move loses and repeats nothing."""
    bench.topics(**{"in": 4, "out": 4})
    app = counting(bench)
    tasks = frozenset(bench.partition_plan(app, **{"in": 4}).tasks)
    first = bench.run_in_group(app, directory="one")
    until(lambda: first.running() == tasks, "the first worker to have all tasks")
    bench.produce("in", *numbered(0, 100))
    second = bench.run_in_group(app, directory="two")
    until(lambda: len(first.running()) == 2 and len(second.running()) == 2, "the tasks to be shared")
    bench.produce("in", *numbered(100, 100))
    until(lambda: counted(bench) == 200, "200 records")
    first.stop()
    until(lambda: second.running() == tasks, "the second worker to have all tasks")
    bench.produce("in", *numbered(200, 100))
    until(lambda: counted(bench) == 300, "300 records")
    second.stop()
    assert {key: int.from_bytes(value or b"", "big") for key, value in bench.latest("out").items()} == {
        f"k{i}": 15 for i in range(20)
    }


def test_group_worker_restarted_in_its_slot_takes_its_tasks_back(bench: Bench) -> None:
    """A worker that went without leaving keeps its place until its successor comes: no rebalance."""
    bench.topics(**{"in": 2, "out": 2})
    app = counting(bench)
    first = bench.run_in_group(app)
    until(lambda: len(first.running()) == 2, "the tasks")
    bench.produce("in", *numbered(0, 40))
    until(lambda: first.processed() == 40, "40 records")
    first.worker.stop(leave=False)
    first.join()
    second = bench.run_in_group(app)
    until(lambda: len(second.running()) == 2, "the tasks to come back")
    bench.produce("in", *numbered(40, 40))
    until(lambda: second.processed() == 40, "40 records more")
    second.stop()
    assert {int.from_bytes(value or b"", "big") for value in bench.latest("out").values()} == {4}


def test_group_replay_with_joins_and_leaves_keeps_every_record(bench: Bench) -> None:
    """Four partitions at different times, workers that come and go in the middle: nothing is late."""
    bench.topics(**{"in": 4, "out": 4})
    app = App(bench.tag)
    (
        app.stream(bench.name("in"), key=str, value=dict, timestamp=F["ts"])
        .group_by(F["group"])
        .windowed_by(tumbling(timedelta(days=1), grace=timedelta(hours=1)))
        .aggregate(n=count(), store="daily")
        .to_stream()
        .to(bench.name("out"))
    )
    days, per_day = 60, 40
    for partition in range(4):
        bench.produce(
            "in",
            *(
                ("x", json.dumps({"ts": d * DAY_MS + i * 1000, "group": f"g{i % 5}"}).encode(), 0)
                for d in range(days)
                for i in range(per_day * (partition + 1))
            ),
            partition=partition,
        )
    total = days * per_day * 10
    slow = {"run_records": 50, "poll_records": 100}
    first = bench.run_in_group(app, directory="one", **slow)
    until(lambda: first.processed() > total // 8, "an eighth")
    second = bench.run_in_group(app, directory="two", **slow)
    until(lambda: len(second.running()) == 4, "the tasks to be shared")
    first.stop()
    until(lambda: len(second.running()) == 8, "the tasks to move")

    def counted_in_days() -> int:
        newest = {message.key(): json.loads(message.value() or b"")["n"] for message in bench.read("out")}
        return sum(newest.values())

    until(lambda: counted_in_days() >= total, "every record to be counted")
    second.stop()
    dropped = first.worker.counters()["dropped_late"] + second.worker.counters()["dropped_late"]
    assert dropped == 0
    assert counted_in_days() == total
