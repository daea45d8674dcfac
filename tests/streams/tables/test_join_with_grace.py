"""Stream-table joins whose records wait for the table; their results are in `test_versioned_oracles.py`."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from streams import App, Context, F, Json, KTable, Materialized, TopologyError
from streams.testing import TopologyTestDriver
from streams.testing.worker_run import WorkerRun
from tests.streams.topology.test_compile import NO_LIMIT, Bench, message

MS = timedelta(milliseconds=1)
TOPIC = "app-again-repartition"


def rates(app: App, history: int = 100) -> KTable[str, int]:
    return app.table("rates", key=str, value=int, store=Materialized("rates", history_retention=history * MS))


def behind_repartition(grace: int) -> App:
    app = App("app")
    stream = app.stream("in", key=str, value=Json()).repartition(name="again")
    stream.join(rates(app), lambda v, rate: [v, rate], grace=grace * MS, value=Json(), name="meet").to("out")
    return app


def met(bench: Bench) -> list[tuple[Any, int]]:
    found = [(msgspec.json.decode(value), ts) for _, _, value, ts in bench.sent]
    bench.sent.clear()
    return found


def mark(value: int) -> Any:
    return message(None, key=None, topic=TOPIC, headers=[("mark", str(value).encode())])


def test_waiting_records_behind_a_repartition_are_released_by_the_watermark() -> None:
    bench = Bench(behind_repartition(10), 1, watermark=-1)
    rate = (7).to_bytes(8, "big")
    bench.run("rates", [message(rate, ts=0, topic="rates")])
    bench.run(TOPIC, [message(1, ts=50, topic=TOPIC), message(2, ts=5, topic=TOPIC)])
    assert met(bench) == [], "an upstream task may still be behind"
    assert bench.program.holding() == {"meet": -1}
    bench.run(TOPIC, [mark(14), mark(15), message(3, ts=4, topic=TOPIC)])
    assert met(bench) == [([2, 7], 5), ([3, 7], 4)], "the last one is older than the clock less the grace"
    bench.run(TOPIC, [mark(NO_LIMIT)])
    assert met(bench) == [], "the clock is never later than the newest record"
    bench.run(TOPIC, [message(4, ts=60, topic=TOPIC)])
    assert met(bench) == [([1, 7], 50)]
    assert bench.program.holding() == {"meet": 60}


def test_grace_holds_the_watermark_of_a_later_repartition_back() -> None:
    app = App("app")
    stream = app.stream("in", key=str, value=int).join(rates(app), lambda v, rate: v, grace=10 * MS, value=int)
    stream.select_key(lambda k, v: v, key=int).group_by_key().count()
    (sink,) = app.plan().subtopologies[0].repartition_sinks
    assert sink.hold_back_ms == 10
    assert sink.sources == ("in",)


def test_record_that_waited_has_the_context_it_came_with() -> None:
    seen: list[Any] = []

    def join(value: int, rate: int | None, context: Context) -> int:
        seen.append((value, rate, context.topic, context.partition, context.offset, context.timestamp, context.headers))
        return value

    app = App("app")
    joined = app.stream("in", key=str, value=int).left_join(rates(app), join, grace=10 * MS, value=int)
    joined.map_values(F.headers["h"]).to("out", value=Json())
    with TopologyTestDriver(app) as driver:
        topic = driver.input_topic("in")
        topic.pipe(1, key="k", timestamp=5, headers=[("h", b"one"), ("n", None)])
        driver.restart()
        topic.pipe(2, key="k", timestamp=15)
        topic.pipe(3, key="k", timestamp=1, headers=[("h", b"late")])
        driver.restart(lose_state=True)
        topic.pipe(4, key=None, timestamp=2)
        topic.pipe(5, key="k", timestamp=25)
        headers = [record.headers for record in driver.output_topic("out").read_all()]
    assert seen == [
        (1, None, "in", 0, 0, 5, [("h", b"one"), ("n", None)]),
        (3, None, "in", 0, 2, 1, [("h", b"late")]),
        (4, None, "in", 0, 3, 2, []),
        (2, None, "in", 0, 1, 15, []),
    ]
    assert headers == [[("h", b"one"), ("n", None)], [("h", b"late")], [], []]


def test_failure_on_one_waiting_record_leaves_the_others_waiting() -> None:
    """A handler that goes on gives up the record that failed; the rest comes with the next one, in its order."""
    app = App("app", processing_handler="continue")
    stream = app.stream("in", key=str, value=int)
    stream.left_join(rates(app), lambda v, rate: 10 // (v - 3), grace=5 * MS, value=int).to("out")
    with TopologyTestDriver(app) as driver:
        for value, ts in [(1, 10), (2, 11), (3, 11), (4, 11), (5, 12), (6, 30)]:
            driver.input_topic("in").pipe(value, key="k", timestamp=ts)
        assert [(r.value, r.timestamp) for r in driver.output_topic("out").read_all()] == [(-5, 10), (-10, 11)]
        assert driver.counters()["skipped_processing"] == 1
        driver.restart(lose_state=True)
        driver.input_topic("in").pipe(7, key="k", timestamp=31)
        assert [(r.value, r.timestamp) for r in driver.output_topic("out").read_all()] == [(10, 11), (5, 12)]


def test_waiting_records_come_out_the_same_wherever_batches_end() -> None:
    batch = [message(place, ts=ts, topic=TOPIC) for place, ts in enumerate([5, 30, 12, 8, 30, 41, 9, 22, 55])]
    table = [message(rate.to_bytes(8, "big"), ts=rate, topic="rates") for rate in (0, 10, 20)]
    results: list[Any] = []
    for size in (1, 4, len(batch)):
        bench = Bench(behind_repartition(10), 1)
        bench.run("rates", table)
        for start in range(0, len(batch), size):
            bench.run(TOPIC, batch[start : start + size])
        results.append(met(bench))
    assert results[0] == results[1] == results[2]
    assert [ts for _, ts in results[0]] == [5, 12, 8, 30, 30, 9, 22, 41]


def test_grace_that_no_table_can_serve_is_refused() -> None:
    app = App("app")
    stream, table = app.stream("in", key=str, value=int), rates(app, history=10)
    everywhere = app.global_table("everywhere", key=str, value=int)
    stream.join(app.table("plain", key=str, value=int), lambda v, rate: v, grace=MS)
    stream.left_join(table.map_values(lambda v: v, store="copy"), lambda v, rate: v, grace=MS)
    stream.left_join(table, lambda v, rate: v, grace=11 * MS)
    stream.join(table, lambda v, rate: v, grace=-1 * MS)
    stream.join(everywhere, lambda v, rate: v, grace=MS)
    stream.join(table.filter(lambda k, v: True), lambda v, rate: v, grace=10 * MS)
    with pytest.raises(TopologyError) as caught:
        app.plan()
    messages = [problem.message for problem in caught.value.problems]
    assert len(messages) == 5
    assert messages[0].startswith("join: grace= needs a versioned table")
    assert messages[1].startswith("left_join: grace= needs a versioned table")
    assert "would wait for 11 ms, but the table 'rates' keeps its history for 10 ms only" in messages[2]
    assert "must not be negative" in messages[3]
    assert "a global table is none" in messages[4]


@pytest.mark.parametrize("lose_state", [False, True])
def test_records_wait_through_the_death_of_their_worker(
    worker: Callable[..., WorkerRun], tmp_path: Path, lose_state: bool
) -> None:
    """A real process, killed: versions and waiting records are in the state directory, and in the changelogs."""
    run = worker("tests.streams.tables.waiting_app:app")

    def rate(value: int, timestamp: int) -> None:
        """Sets a rate, and returns when the worker has committed it."""
        run.input_topic("rates").pipe(value, key="k", timestamp=timestamp)
        run.assert_records("rates-seen", [("k", value, timestamp)])

    for value, timestamp in [(1, 10), (2, 20), (3, 15)]:
        rate(value, timestamp)
    for order, timestamp in [("a", 16), ("b", 25), ("c", 27)]:
        run.input_topic("orders").pipe(order, key="k", timestamp=timestamp)
    run.assert_records("priced", [("k", "a-3", 16)])
    run.kill()
    if lose_state:
        shutil.rmtree(tmp_path / "state")
    run.restart()
    rate(9, 26)
    run.input_topic("orders").pipe("d", key="k", timestamp=40)
    run.input_topic("orders").pipe("e", key="k", timestamp=17)
    run.assert_records("priced", [("k", "b-2", 25), ("k", "c-9", 27), ("k", "e-3", 17)])
    run.stop()
