"""`emit_updates="commit"`: the changes of a key collapse, and its last one comes out at the commit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from stores import MemoryTaskState
from streams import App, Json, ProcessingError, count, tumbling
from streams.compile.program import NO_LIMIT, TaskBinding
from streams.observe import Counters
from streams.plan.task_id import TaskId
from streams.serde import change_serde
from streams.testing import TopologyTestDriver
from streams.testing.message import DriverMessage
from tests.streams.topology.test_compile import Bench as CompiledTask
from tests.streams.topology.test_compile import message


class Bench:
    """The first task of a topology; the test says when it commits."""

    def __init__(self, app: App, read: Callable[[bytes], Any] = msgspec.json.decode) -> None:
        self.read = read
        sub = app.plan().subtopologies[0]
        self.sent: list[tuple[bytes | None, Any, int, Any]] = []
        self.state = MemoryTaskState.open([store.spec for store in sub.stores])
        self.program = sub.program.bind(
            TaskBinding(
                application_id="app",
                wall_clock=lambda: 0,
                task_id=TaskId(0, 0),
                stores=dict(self.state.stores),
                produce=self.produce,
                produce_full=self.produce,
                watermarks={},
                counters=Counters(),
            )
        )

    def produce(self, topic: str, value: Any, key: bytes | None, *rest: Any) -> None:
        self.sent.append((key, None if value is None else self.read(value), rest[-2], rest[-1]))

    def pipe(self, key: str, value: Any, ts: int, headers: Any = None) -> None:
        raw = None if value is None else msgspec.json.encode(value)
        self.program.sources["in"].run([DriverMessage("in", 0, key.encode(), raw, ts, headers)], 0, 1, NO_LIMIT)

    def flush(self) -> list[tuple[bytes | None, Any, int, Any]]:
        """What comes out before a commit."""
        self.program.flush()
        sent, self.sent = self.sent, []
        return sent


def test_updates_of_a_key_collapse_in_the_order_of_their_last_one() -> None:
    app = App("app", emit_updates="commit")
    app.table("in", key=str, store="t").map_values(lambda v: v).to_stream().to("out")
    bench = Bench(app)
    for key, value, ts in [("a", 1, 5), ("b", 2, 6), ("a", 3, 2)]:
        bench.pipe(key, value, ts)
    assert bench.sent == []
    assert bench.flush() == [(b"b", 2, 6, None), (b"a", 3, 2, None)]
    assert bench.flush() == []


def test_deletion_by_an_aggregation_comes_out_with_the_time_of_the_record_that_caused_it() -> None:
    """As in Kafka Streams: a row that is not there has no time of its own. Other results have the latest time."""
    app = App("app", emit_updates="commit")
    numbers = app.stream("in", key=str, value=Json())
    numbers.group_by_key().aggregate(lambda: 0, lambda k, v, a: (a + v) or None, value=Json()).to_stream().to("out")
    bench = Bench(app)
    for value, ts in [(1, 9), (1, 5), (-2, 4)]:
        bench.pipe("a", value, ts)
        assert bench.flush() == [(b"a", {9: 1, 5: 2, 4: None}[ts], 4 if ts == 4 else 9, None)]


def test_key_that_came_and_went_between_commits_shows_nothing() -> None:
    app = App("app", emit_updates="commit")
    app.table("in", key=str, store="t").to_stream().to("out")
    bench = Bench(app)
    bench.pipe("a", 1, 1)
    bench.pipe("a", None, 2)
    assert bench.flush() == []
    bench.pipe("a", 1, 3)
    assert bench.flush() == [(b"a", 1, 3, None)]
    bench.pipe("a", None, 4)
    assert bench.flush() == [(b"a", None, 4, None)]


def test_old_value_is_the_one_last_forwarded_also_when_a_commit_was_put_off() -> None:
    """A commit may be refused after the flush: what was forwarded then is what the next change replaces."""
    app = App("app", emit_updates="commit")
    app.table("in", key=str, value=Json()).group_by(lambda k, v: ("all", v), key=str, value=Json()).count()
    bench = Bench(app, change_serde(Json()).deserialize)
    bench.pipe("a", 1, 0)
    assert bench.flush() == [(b"all", (1, None), 0, None)]  # and no commit follows
    bench.pipe("a", 2, 0)
    bench.pipe("a", 3, 0)
    assert bench.flush() == [(b"all", (3, 1), 0, None)]


def test_stores_downstream_of_a_held_back_table_are_flushed_in_the_same_commit() -> None:
    app = App("app", emit_updates="commit")
    source = app.table("in", key=str, store="t")
    source.map_values(lambda v: v * 2, store="doubled").to_stream().to("out")
    bench = Bench(app)
    bench.pipe("a", 1, 1)
    assert bench.flush() == [(b"a", 2, 1, None)]


def test_headers_of_the_last_change_come_along() -> None:
    app = App("app", emit_updates="commit")
    app.table("in", key=str, store="t").to_stream().to("out")
    bench = Bench(app)
    bench.pipe("a", 1, 1, [("n", b"1")])
    bench.pipe("a", 2, 2, [("n", b"2")])
    assert bench.flush() == [(b"a", 2, 2, [("n", b"2")])]


def test_windowed_named_aggregates_come_out_once_per_commit() -> None:
    app = App("app", emit_updates="commit")
    (
        app.stream("in", key=str)
        .group_by_key()
        .windowed_by(tumbling(timedelta(milliseconds=10), grace=timedelta(milliseconds=20)))
        .aggregate(n=count())
        .to_stream()
        .map(lambda k, v: (k.key, [k.start, v.n]), key=str)
        .to("out")
    )
    bench = Bench(app)
    for ts in (1, 12, 2, 13):
        bench.pipe("a", 0, ts)
    assert [(value, ts) for _, value, ts, _ in bench.flush()] == [([0, 2], 2), ([10, 2], 13)]


def test_store_that_is_not_kept_is_not_held_back() -> None:
    app = App("app", emit_updates="commit")
    app.table("in", key=str).to_stream().to("out")
    bench = Bench(app)
    bench.pipe("a", 1, 1)
    assert [value for _, value, _, _ in bench.sent] == [1]


def test_driver_commits_after_each_record() -> None:
    app = App("app", emit_updates="commit")
    words = app.stream("in", key=str, value=str).flat_map_values(lambda v: v.split())
    words.group_by_key().count().to_stream().to("out")
    with TopologyTestDriver(app) as driver:
        for text in ("a b c", "d"):
            driver.input_topic("in").pipe(text, key="k")
        assert [record.value for record in driver.output_topic("out").read_all()] == [3, 4]


def test_function_that_raises_at_the_commit_is_named() -> None:
    def explode(value: int) -> int:
        return 1 // value

    app = App("app", emit_updates="commit")
    app.table("in", key=str, value=int, store="t").map_values(explode).to_stream().to("out")
    with TopologyTestDriver(app) as driver, pytest.raises(ProcessingError, match="explode"):
        driver.input_topic("in").pipe(0, key="k")


def test_window_behind_a_table_closes_once_the_table_has_told_what_it_held() -> None:
    """A watermark that closes a window counts after the changes of records that were read before it."""
    app = App("app", emit_updates="commit")
    newest = app.stream("in", key=str).repartition(name="again").group_by_key().reduce(lambda a, v: v, store="newest")
    (
        newest.to_stream()
        .group_by_key()
        .windowed_by(tumbling(timedelta(milliseconds=10), grace=timedelta(0)), emit="close")
        .count(store="n")
        .to_stream()
        .map(lambda k, n: (k.key, [k.start, n]), key=str, value=Json())
        .to("out")
    )
    (second,) = (sub.index for sub in app.plan().subtopologies if sub.stores)
    bench = CompiledTask(app, second, watermark=-1)
    topic = "app-again-repartition"

    def read(*records: tuple[str, int], mark: int) -> None:
        marked = message(None, key=None, topic=topic, headers=[("mark", str(mark).encode())])
        bench.run(topic, [*(message(1, key=key, ts=ts, topic=topic) for key, ts in records), marked])

    def told() -> list[Any]:
        return [msgspec.json.decode(value) for _, _, value, _ in bench.sent]

    read(("k", 4), ("other", 100), mark=5)
    bench.program.flush()
    read(("k", 6), mark=50)
    assert told() == []
    bench.program.flush()
    assert told() == [[0, 2]]
    assert bench.counters.dropped_late == 0
