"""`suppress`: what waits, when it comes out, what those downstream are told, and what does not fit."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from streams import (
    App,
    BufferConfig,
    BufferFullError,
    Context,
    Json,
    Materialized,
    Processor,
    TopologyError,
    Windowed,
    hopping,
    session,
    sliding,
    tumbling,
    unlimited,
    until_time_limit,
    until_window_closes,
)
from streams.compile.program import RecordFailure
from streams.testing import TopologyTestDriver
from tests.streams.topology.test_compile import Bench, message

MS = timedelta(milliseconds=1)
TOPIC = "app-n-repartition"


def limited(limit: int, buffer: BufferConfig | None = None, **settings: Any) -> App:
    app = App("app", **settings)
    table = app.table("in", key=str, value=Json())
    table.suppress(until_time_limit(limit * MS, buffer or BufferConfig.unbounded())).to_stream().to("out")
    return app


def told(driver: TopologyTestDriver, topic: str = "out") -> list[tuple[Any, Any, int]]:
    return [(r.key, r.value, r.timestamp) for r in driver.output_topic(topic).read_all()]


def piped(driver: TopologyTestDriver, *records: tuple[str, Any, int]) -> None:
    topic = driver.input_topic("in")
    for key, value, ts in records:
        topic.pipe(value, key=key, timestamp=ts)


# -- what comes out, and when -----------------------------------------------------------------------------------------
def test_suppress_keeps_headers_and_time_of_the_last_change_and_the_place_of_the_first() -> None:
    with TopologyTestDriver(limited(10)) as driver:
        topic = driver.input_topic("in")
        topic.pipe(1, key="a", timestamp=0, headers=[("n", b"1")])
        topic.pipe(2, key="b", timestamp=1)
        topic.pipe(3, key="a", timestamp=7, headers=[("n", b"3"), ("empty", None)])
        topic.pipe(4, key="c", timestamp=11)
        first, second = driver.output_topic("out").read_all()
        assert (first.key, first.value, first.timestamp) == ("a", 3, 7)
        assert list(first.headers) == [("n", b"3"), ("empty", None)]
        assert (second.key, second.value, second.timestamp) == ("b", 2, 1)


def test_suppress_until_a_time_limit_tells_deletions() -> None:
    with TopologyTestDriver(limited(10)) as driver:
        piped(driver, ("a", 1, 0), ("a", None, 3), ("b", 1, 10))
        assert told(driver) == [("a", None, 3)]


def test_suppress_limit_of_zero_lets_every_change_through() -> None:
    with TopologyTestDriver(limited(0)) as driver:
        piped(driver, ("a", 1, 5), ("a", 2, 3), ("b", None, 4))
        assert told(driver) == [("a", 1, 5), ("a", 2, 3), ("b", None, 4)]


def test_suppress_functions_behind_it_see_no_record_that_was_read() -> None:
    def seen(value: Any, context: Context) -> Any:
        return [value, context.topic, context.offset, context.timestamp, len(context.headers)]

    app = App("app")
    table = app.table("in", key=str, value=Json()).suppress(until_time_limit(10 * MS))
    table.to_stream().map_values(seen, value=Json()).to("out")
    with TopologyTestDriver(app) as driver:
        driver.input_topic("in").pipe("v", key="a", timestamp=3, headers=[("h", b"")])
        driver.input_topic("in").pipe("w", key="b", timestamp=13)
        assert told(driver) == [("a", ["v", "", -1, 3, 1], 3)]


def test_suppress_after_a_failure_that_is_skipped_goes_on_behind_it() -> None:
    def fail_for_b(key: str, value: Any) -> Any:
        if key == "b":
            raise ValueError("not b")
        return value

    app = App("app")
    table = app.table("in", key=str, value=Json()).suppress(until_time_limit(10 * MS))
    table.to_stream().map_values(fail_for_b, value=Json()).to("out")
    bench = Bench(app)
    batch = [message(1, key=key, ts=5) for key in "abc"] + [message(1, key="z", ts=50), message(1, key="z", ts=51)]
    with pytest.raises(RecordFailure) as caught:
        bench.run("in", batch)
    assert caught.value.index == 3
    assert bench.run("in", batch, start=4) == 5
    assert [key for _, key, _, _ in bench.sent] == [b"a", b"c"]


def test_suppress_values_wait_as_they_were_when_a_user_changes_them_later() -> None:
    app = App("app")

    def append(key: str, value: int, aggregate: list[int]) -> list[int]:
        aggregate.append(value)
        return aggregate

    grouped = app.stream("in", key=str, value=int).group_by_key()
    grouped.aggregate(list, append, value=Json()).suppress(
        until_time_limit(10 * MS, BufferConfig.max_records(1))
    ).to_stream().to("out")
    with TopologyTestDriver(app) as driver:
        piped(driver, ("a", 1, 0), ("a", 2, 1), ("b", 3, 2), ("a", 4, 3), ("b", 5, 20))
        assert told(driver) == [("a", [1, 2], 1), ("b", [3], 2), ("a", [1, 2, 4], 3)]


# -- the buffer's bounds ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("buffer", [BufferConfig.max_records(2), BufferConfig.max_records(2).emit_early_when_full()])
def test_suppress_full_buffer_emits_the_oldest_early(buffer: BufferConfig) -> None:
    with TopologyTestDriver(limited(100, buffer)) as driver:
        piped(driver, ("a", 1, 5), ("b", 1, 3), ("a", 2, 6))
        assert told(driver) == []
        piped(driver, ("c", 1, 7))
        assert told(driver) == [("b", 1, 3)]
        piped(driver, ("d", 1, 1))  # it is the oldest itself
        assert told(driver) == [("d", 1, 1)]


def test_suppress_bytes_bound_the_buffer() -> None:
    with TopologyTestDriver(limited(1000, BufferConfig.max_bytes(400))) as driver:
        piped(driver, ("a", "x" * 150, 1), ("b", "x" * 150, 2))
        assert told(driver) == []
        piped(driver, ("c", "x" * 300, 3))
        assert [key for key, _, _ in told(driver)] == ["a", "b"]
        piped(driver, ("d", "x" * 500, 4))
        assert [key for key, _, _ in told(driver)] == ["c", "d"]


@pytest.mark.parametrize(
    "buffer",
    [
        BufferConfig.max_records(1).shut_down_when_full(),
        BufferConfig.unbounded().with_max_records(1),
        BufferConfig.max_bytes(2_000).with_max_records(1).shut_down_when_full(),
    ],
)
def test_suppress_full_buffer_that_must_not_emit_early_fails_the_record(buffer: BufferConfig) -> None:
    with TopologyTestDriver(limited(10, buffer)) as driver:
        piped(driver, ("a", 1, 0), ("a", 2, 1))
        with pytest.raises(BufferFullError, match="in-table-suppress is full: 2 records of 1 and") as caught:
            piped(driver, ("b", 1, 1))
        assert caught.value.records == 2
        piped(driver, ("b", 1, 10))  # lets the other one go first
        assert told(driver) == [("a", 2, 1)]


def test_suppress_bounds_can_be_taken_away() -> None:
    buffer = BufferConfig.max_records(1).with_max_bytes(1).with_no_bound()
    assert buffer == BufferConfig.unbounded()
    with TopologyTestDriver(limited(10, buffer)) as driver:
        piped(driver, *((str(n), n, 0) for n in range(9)), ("z", 0, 10))
        assert len(told(driver)) == 9


# -- windows ----------------------------------------------------------------------------------------------------------
def finals(windows: Any, **settings: Any) -> App:
    app = App("app", **settings)
    grouped = app.stream("in", key=str, value=Json()).group_by(lambda k, v: "k", key=str)
    table = grouped.windowed_by(windows).count(store="n").suppress(until_window_closes())
    table.to_stream().map_values(lambda k, v: [k.start, k.end, v], value=Json()).to("out")
    return app


def mark(value: int) -> Any:
    return message(None, key=None, topic=TOPIC, headers=[("mark", str(value).encode())])


def records(*times: int) -> list[Any]:
    return [message(ts, ts=ts, topic=TOPIC) for ts in times]


def out(bench: Bench) -> list[Any]:
    found = [msgspec.json.decode(value) for topic, _, value, _ in bench.sent if topic == "out"]
    bench.sent.clear()
    return found


@pytest.mark.parametrize(
    ("windows", "first", "second"),
    [
        (tumbling(10 * MS, grace=5 * MS), [0, 10, 2], [10, 20, 1]),
        (sliding(3 * MS, grace=11 * MS), [1, 4, 2], [11, 14, 1]),
        (session(5 * MS, grace=5 * MS), [4, 4, 2], [14, 14, 1]),
    ],
    ids=["tumbling", "sliding", "session"],
)
def test_suppress_behind_a_repartition_waits_for_the_watermark_and_needs_no_record_then(
    windows: Any, first: Any, second: Any
) -> None:
    """Not what was seen but what every upstream task has passed closes a window; and what is out stays closed."""
    bench = Bench(finals(windows), 1, watermark=-1)
    bench.run(TOPIC, records(4, 1000, 4, 14))
    assert out(bench) == []
    bench.run(TOPIC, [mark(14), mark(16)])
    assert out(bench) == [first]
    bench.run(TOPIC, [mark(3), *records(4), mark(16)])  # an idle upstream task came back: the clock is turned back
    assert out(bench) == []
    assert bench.counters.dropped_late >= 1
    bench.run(TOPIC, [mark(26)])
    assert out(bench) == [second]


def test_suppress_when_all_upstream_tasks_are_idle_ends_at_what_was_seen() -> None:
    bench = Bench(finals(tumbling(10 * MS, grace=5 * MS)), 1, watermark=-1)
    bench.run(TOPIC, [*records(4, 14, 24), mark(2**63 - 1)])
    assert out(bench) == [[0, 10, 1]]


def test_suppress_of_changes_held_for_the_commit_waits_until_they_are_told() -> None:
    """A watermark that closes a window must not let out a result to which changes are still to come."""
    bench = Bench(finals(tumbling(10 * MS, grace=0 * MS), emit_updates="commit"), 1, watermark=-1)
    bench.run(TOPIC, [*records(4, 100), mark(5)])
    bench.program.flush()
    bench.run(TOPIC, [*records(6), mark(50)])
    assert out(bench) == []
    bench.program.flush()
    assert out(bench) == [[0, 10, 2]]


@pytest.mark.parametrize(
    ("windows", "held_ms"),
    [
        (hopping(10 * MS, 5 * MS, grace=7 * MS), 17),
        (sliding(10 * MS, grace=7 * MS), 18),
        (session(10 * MS, grace=7 * MS), 18),
    ],
)
def test_suppressed_windows_are_held_back_from_the_watermark(windows: Any, held_ms: int) -> None:
    app = App("app")
    table = app.stream("in", key=str, value=Json()).group_by_key().windowed_by(windows).count()
    table.suppress(until_window_closes(), name="last").to_stream().select_key(lambda k, v: k.key).repartition(
        name="again"
    ).to("out")
    (sink,) = app.plan().subtopologies[0].repartition_sinks
    assert sink.hold_back_ms == held_ms
    assert sink.holders == {"last"}
    bench = Bench(app)
    assert bench.program.holding() == {}
    bench.run("in", [message(1, ts=5)])
    assert bench.program.holding() == {"last": 5}


def test_suppressed_changes_are_held_back_by_their_limit() -> None:
    app = App("app")
    table = app.table("in", key=str, value=Json()).suppress(until_time_limit(30 * MS))
    table.to_stream().select_key(lambda k, v: k).repartition(name="again").to("out")
    (sink,) = app.plan().subtopologies[0].repartition_sinks
    assert sink.hold_back_ms == 30


def test_suppress_window_far_behind_a_jump_of_time_comes_out_all_the_same() -> None:
    """The result waits in the buffer, whatever the window store has forgotten."""
    app = App("app")
    grouped = app.stream("in", key=str, value=Json()).group_by_key()
    grouped.windowed_by(tumbling(10 * MS, grace=0 * MS)).count().suppress(until_window_closes()).to_stream().to("out")
    with TopologyTestDriver(app) as driver:
        piped(driver, ("a", 1, 1), ("b", 1, 2), ("a", 1, 3), ("c", 1, 10**12))
        assert told(driver) == [(Windowed("a", 0, 10), 2, 3), (Windowed("b", 0, 10), 1, 2)]


# -- what those downstream are told -----------------------------------------------------------------------------------
def test_suppress_tells_as_old_value_what_it_told_before() -> None:
    """Otherwise the sum would take away values that were never added to it."""
    app = App("app")
    table = app.table("in", key=str, value=int, store="src").suppress(until_time_limit(10 * MS))
    grouped = table.group_by(lambda k, v: ("all", v), key=str, value=int)
    grouped.reduce(lambda a, v: a + v, lambda a, v: a - v).to_stream().to("out")
    with TopologyTestDriver(app) as driver:
        piped(driver, ("a", 1, 0), ("a", 2, 1), ("a", 3, 2), ("b", 10, 10))
        assert told(driver) == [("all", 3, 2)]
        piped(driver, ("a", 4, 11), ("a", 5, 12), ("c", 1, 21))
        assert [value for _, value, _ in told(driver)] == [13, 15]


def test_suppress_looked_into_shows_what_it_told_last() -> None:
    app = App("app")
    table = app.table("in", key=str, value=Json()).suppress(until_time_limit(10 * MS))
    app.stream("asks", key=str, value=Json()).left_join(table, lambda ask, row: [ask, row], value=Json()).to("out")
    with TopologyTestDriver(app) as driver:
        asks = driver.input_topic("asks")
        for record in [("a", 1, 0), ("a", 2, 10), ("a", 3, 11)]:  # 2 comes out at once: it is due
            piped(driver, record)
            asks.pipe(record[2], key="a", timestamp=record[2])
        assert [value for _, value, _ in told(driver)] == [[0, None], [10, 2], [11, 2]]


def test_suppress_of_a_table_without_a_name_gives_its_filter_old_values_as_kafka_streams_does() -> None:
    app = App("app")
    table = app.table("in", key=str, value=int).filter(lambda k, v: v > 1)
    table.suppress(until_time_limit(0 * MS)).to_stream().to("out")
    with TopologyTestDriver(app) as driver:
        piped(driver, ("a", 1, 0), ("a", 2, 1), ("a", 1, 2), ("a", 1, 3))
        assert told(driver) == [("a", 2, 1), ("a", None, 2)]


# -- restarts ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("stores", ["memory", "rocksdb"])
@pytest.mark.parametrize("lose_state", [False, True])
def test_suppress_what_waits_survives_a_restart_and_so_does_its_clock(stores: Any, lose_state: bool) -> None:
    with TopologyTestDriver(limited(10, BufferConfig.max_records(3)), stores=stores, commit="manual") as driver:
        piped(driver, ("a", 1, 0), ("b", 1, 3), ("a", 2, 5))
        driver.commit()
        piped(driver, ("b", 2, 9))
        driver.restart(lose_state=lose_state)
        assert told(driver) == []
        piped(driver, ("c", 1, 2), ("c", 2, 10))  # the clock stands at 9
        assert told(driver) == [("a", 2, 5)]
        piped(driver, ("c", 3, 13))
        assert told(driver) == [("c", 3, 13), ("b", 2, 9)]


def test_suppress_without_logging_has_no_changelog_and_loses_what_waits_with_the_state() -> None:
    app = limited(10, BufferConfig.unbounded().with_logging_disabled())
    [store] = [plan for _, plan in app.plan().stores() if plan.name == "in-table-suppress"]
    assert store.changelog is None
    with TopologyTestDriver(app) as driver:
        piped(driver, ("a", 1, 0))
        driver.restart(lose_state=True)
        piped(driver, ("b", 1, 10))
        assert told(driver) == []


def test_suppress_with_settings_of_its_changelog_makes_the_topic_with_them() -> None:
    app = limited(10, BufferConfig.max_records(3).with_logging_enabled({"segment.bytes": "1000000"}))
    [store] = [plan for _, plan in app.plan().stores() if plan.name == "in-table-suppress"]
    assert store.changelog == "app-in-table-suppress-changelog"
    assert store.changelog_configs["segment.bytes"] == "1000000"
    with TopologyTestDriver(app) as driver:
        piped(driver, ("a", 1, 0))
        driver.restart(lose_state=True)
        piped(driver, ("b", 1, 10))
        assert told(driver) == [("a", 1, 0)]


def test_suppress_settings_of_a_changelog_that_it_cannot_have_are_a_problem_of_the_topology() -> None:
    with pytest.raises(TopologyError, match=r"cleanup\.policy='delete' would delete rows"):
        limited(10, BufferConfig.unbounded().with_logging_enabled({"cleanup.policy": "delete"})).plan()


# -- mistakes ---------------------------------------------------------------------------------------------------------
def test_suppressed_table_joined_with_itself_meets_the_value_that_comes_out() -> None:
    app = App("app")
    table = app.table("in", key=str, value=int).suppress(until_time_limit(10 * MS))
    table.join(table, lambda left, right: f"{left} {right}").to_stream().to("out")
    with TopologyTestDriver(app) as driver:
        piped(driver, ("a", 1, 0), ("a", 2, 5), ("b", 0, 20), ("a", 3, 21), ("b", 0, 40))
        results = [(key, value) for key, value, _ in told(driver) if key == "a"]
    assert results == [("a", "2 2"), ("a", "2 2"), ("a", "3 3"), ("a", "3 3")]


def test_suppress_behind_windows_of_a_cogroup_of_versioned_tables_is_accepted() -> None:
    app = App("app")
    history = Materialized("rows", history_retention=timedelta(hours=1))
    grouped = app.table("in", key=str, value=int, store=history).to_stream().group_by_key()
    windowed = grouped.cogroup(lambda key, value, total: total + value).windowed_by(tumbling(10 * MS, grace=0 * MS))
    windowed.aggregate(lambda: 0, value=int).suppress(until_window_closes()).to_stream().to("out")
    with TopologyTestDriver(app) as driver:
        piped(driver, ("a", 1, 0), ("a", 2, 5), ("a", 4, 20))
        assert [(key.start, value) for key, value, _ in told(driver)] == [(0, 3)]


def test_suppress_what_cannot_be_is_said_at_once() -> None:
    with pytest.raises(ValueError, match="cannot emit early: add"):
        until_window_closes(BufferConfig.max_records(10))
    with pytest.raises(ValueError, match="must not be negative"):
        until_time_limit(-1 * MS)
    with pytest.raises(ValueError, match="max_records must not be negative"):
        BufferConfig.max_records(-1)
    with pytest.raises(ValueError, match="max_bytes must not be negative"):
        BufferConfig.unbounded().with_max_bytes(-1)


def test_suppress_until_window_closes_of_a_table_without_windows_is_a_problem_of_the_topology() -> None:
    app = App("app")
    app.table("in").suppress(until_window_closes()).to_stream().to("out")
    counts = app.stream("n").group_by_key().windowed_by(tumbling(MS, grace=MS)).count()
    plain = counts.to_stream(lambda k, v: k.key, key=str).to_table()
    plain.suppress(until_window_closes()).to_stream().to("out")
    with pytest.raises(TopologyError, match="needs the results of a windowed aggregation") as caught:
        app.plan()
    assert len(caught.value.problems) == 2


def test_suppress_buffer_is_not_for_processors() -> None:
    app = App("app")
    app.table("in").suppress(until_time_limit(MS), name="calm").to_stream().to("out")
    app.stream("other").process(Processor, stores=["calm-store"]).to("out")
    with pytest.raises(TopologyError, match="uses a store 'calm-store', but the topology has none"):
        app.plan()


def test_suppress_of_unlimited_windows_is_a_problem_of_the_topology() -> None:
    app = App("app")
    app.stream("in").group_by_key().windowed_by(unlimited()).count().suppress(until_window_closes()).to_stream()
    with pytest.raises(TopologyError, match="unlimited windows never close"):
        app.plan()


def test_suppress_waits_for_the_longest_grace_of_joined_windows() -> None:
    app = App("app")
    grouped = app.stream("in", key=str, value=int).group_by_key()
    short = grouped.windowed_by(tumbling(10 * MS, grace=1 * MS)).count().filter(lambda k, v: True, store="short")
    long = grouped.windowed_by(tumbling(10 * MS, grace=8 * MS)).count().filter(lambda k, v: True, store="long")
    joined = short.outer_join(long, lambda left, right: [left, right], value=Json())
    joined.suppress(until_window_closes()).to_stream().to("out")
    with TopologyTestDriver(app) as driver:
        piped(driver, ("a", 1, 1), ("a", 1, 17))
        assert told(driver) == []
        piped(driver, ("a", 1, 18))
        assert told(driver) == [(Windowed("a", 0, 10), [1, 1], 1)]
