"""`emit="close"`, late streams, named aggregates over windows, and cogroups, where watermarks and failures come in."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from streams import App, F, Json, TopologyError, collect, count, hopping, mean, session, sliding, tumbling, unlimited
from streams.compile.program import RecordFailure
from streams.testing import TopologyTestDriver
from tests.streams.topology.test_compile import Bench, message
from tests.streams.windows.interrupted import MS

TOPIC = "app-n-repartition"


def closing(windows: Any) -> App:
    app = App("app")
    grouped = app.stream("in", key=str, value=Json()).group_by(lambda k, v: "k", key=str)
    table = grouped.windowed_by(windows, emit="close").aggregate(n=count(), store="n")
    table.to_stream().map_values(lambda k, v: [k.start, k.end, v.n], value=Json()).to("out")
    return app


def mark(value: int) -> Any:
    return message(None, key=None, topic=TOPIC, headers=[("mark", str(value).encode())])


def out(bench: Bench) -> list[Any]:
    found = [msgspec.json.decode(value) for topic, _, value, _ in bench.sent if topic == "out"]
    bench.sent.clear()
    return found


def records(*times: int) -> list[Any]:
    return [message(ts, ts=ts, topic=TOPIC) for ts in times]


@pytest.mark.parametrize(
    ("windows", "first", "second"),
    [
        (tumbling(10 * MS, grace=5 * MS), [0, 10, 2], [10, 20, 1]),
        (sliding(3 * MS, grace=11 * MS), [1, 4, 2], [11, 14, 1]),
        (session(5 * MS, grace=5 * MS), [4, 4, 2], [14, 14, 1]),
    ],
    ids=["tumbling", "sliding", "session"],
)
def test_final_result_behind_a_repartition_waits_for_the_watermark(windows: Any, first: Any, second: Any) -> None:
    """Not what was seen but what every upstream task has passed closes a window; and what is out stays closed."""
    bench = Bench(closing(windows), 1, watermark=-1)
    bench.run(TOPIC, records(4, 1000, 4, 14))
    assert out(bench) == []
    bench.run(TOPIC, [mark(14), mark(16)])
    assert out(bench) == [first]
    bench.run(TOPIC, [mark(3), *records(4), mark(16)])  # an idle upstream task came back: the clock is turned back
    assert out(bench) == []
    assert bench.counters.dropped_late >= 1
    bench.run(TOPIC, [mark(26)])
    assert out(bench) == [second]


def test_final_results_when_all_upstream_tasks_are_idle_end_at_what_was_seen() -> None:
    bench = Bench(closing(tumbling(10 * MS, grace=5 * MS)), 1, watermark=-1)
    bench.run(TOPIC, [*records(4, 14, 24), mark(2**63 - 1)])
    assert out(bench) == [[0, 10, 1]]


def test_final_results_after_a_failure_that_is_skipped_go_on_behind_it() -> None:
    """Each window once: what came before the failure is not repeated, what comes after it is not lost."""

    def fail_for_b(key: Any, value: int) -> int:
        if key.key == "b":
            raise ValueError("not b")
        return value

    for windows in (tumbling(10 * MS, grace=0 * MS), sliding(4 * MS, grace=0 * MS), session(4 * MS, grace=0 * MS)):
        app = App("app")
        grouped = app.stream("in", key=str, value=Json()).group_by_key()
        grouped.windowed_by(windows, emit="close").count().to_stream().map_values(fail_for_b, value=int).to("out")
        bench = Bench(app)
        batch = [message(1, key=key, ts=5) for key in "abc"] + [message(1, key="z", ts=50), message(1, key="z", ts=50)]
        with pytest.raises(RecordFailure) as caught:
            bench.run("in", batch)
        assert caught.value.index == 3
        assert bench.run("in", batch, start=4) == 5
        assert [key[:1] for _, key, _, _ in bench.sent] == [b"a", b"c"]


def test_final_results_are_held_back_from_the_watermark() -> None:
    """A task whose windows are still open must not tell those behind it that time has passed."""
    for windows, open_ms in [
        (hopping(10 * MS, 5 * MS, grace=7 * MS), 17),
        (sliding(10 * MS, grace=7 * MS), 18),
        (session(10 * MS, grace=7 * MS), 18),
    ]:
        app = App("app")
        grouped = app.stream("in", key=str, value=Json()).group_by_key()
        counts = grouped.windowed_by(windows, emit="close").count().to_stream()
        counts.select_key(lambda k, v: k.key).repartition(name="again").to("out")
        (sink,) = app.plan().subtopologies[0].repartition_sinks
        assert sink.hold_back_ms == open_ms


@pytest.mark.parametrize(
    "windows", [tumbling(10 * MS, grace=0 * MS), sliding(4 * MS, grace=0 * MS), session(4 * MS, grace=0 * MS)]
)
def test_open_windows_hold_the_watermark_at_their_own_clock_and_closed_ones_do_not(windows: Any) -> None:
    """A filter can keep the operator's clock behind the input; what it holds comes out by that clock."""
    app = App("app")
    grouped = app.stream("in", key=str, value=Json()).filter(lambda k, v: v != 0).group_by_key()
    table = grouped.windowed_by(windows, emit="close").count(store="n")
    table.to_stream().select_key(lambda k, v: k.key).repartition(name="again").to("out")
    (sink,) = app.plan().subtopologies[0].repartition_sinks
    assert sink.holders == {"n"}
    bench = Bench(app)
    assert bench.program.holding() == {}
    bench.run("in", [message(1, ts=5), message(0, ts=500)])
    assert bench.program.holding() == {"n": 5}
    bench.run("in", [message(1, ts=600), message(None, ts=700), message(0, ts=800)])
    assert bench.program.holding() in ({"n": 600}, {"n": 700})
    other = Bench(app)
    other.program.restore_clocks(bench.program.clocks())
    assert set(other.program.holding()) <= {"n"}


@pytest.mark.parametrize(
    ("windows", "late"),
    [
        (tumbling(10 * MS, grace=0 * MS), [29, 3]),
        (hopping(10 * MS, 5 * MS, grace=0 * MS), [3]),
        (sliding(5 * MS, grace=0 * MS), [3]),
        (session(5 * MS, grace=0 * MS), [3]),
    ],
    ids=["tumbling", "hopping", "sliding", "session"],
)
def test_late_stream_has_the_records_that_no_window_took(windows: Any, late: list[int]) -> None:
    app = App("app")
    grouped = app.stream("in", key=str, value=int).group_by_key()
    grouped.windowed_by(windows, late=lambda stream: stream.to("late")).count().to_stream().to("out")
    with TopologyTestDriver(app) as driver:
        topic = driver.input_topic("in")
        for ts in (5, 30, 29, 3, 31):
            topic.pipe(ts, key="a", timestamp=ts)
        found = driver.output_topic("late").read_all()
        assert [(record.key, record.value, record.timestamp) for record in found] == [("a", ts, ts) for ts in late]


class Reading(msgspec.Struct):
    level: int


@pytest.mark.parametrize("emit", ["update", "close"])
def test_named_aggregates_slide_and_merge(emit: Any) -> None:
    """Their states are copied into new sliding windows and merged where sessions meet."""
    for windows, expected in [
        (sliding(10 * MS, grace=0 * MS), {(2, 12): ([4, 6, 8], 3), (3, 13): ([6, 8], 2), (13, 23): ([8], 1)}),
        (session(5 * MS, grace=20 * MS), {(2, 12): ([4, 8, 6], 3)}),
    ]:
        times = [(2, 4), (5, 6), (12, 8)] if len(expected) > 1 else [(2, 4), (12, 8), (7, 6)]
        if len(expected) > 1:
            expected = {(0, 10): ([4, 6], 2), (2, 12): ([4, 6, 8], 3), (3, 13): ([6, 8], 2), (6, 16): ([8], 1)}
        app = App("app")
        grouped = app.stream("in", key=str, value=Reading).group_by_key()
        table = grouped.windowed_by(windows, emit=emit).aggregate(
            levels=collect(F.level), n=count(), average=mean(F.level)
        )
        table.to_stream().to("out")
        with TopologyTestDriver(app) as driver:
            topic = driver.input_topic("in")
            for ts, level in times:
                topic.pipe(Reading(level), key="a", timestamp=ts)
            topic.pipe(Reading(0), key="z", timestamp=1000)
            last = {
                (r.key.start, r.key.end): (r.value.levels, r.value.n)
                for r in driver.output_topic("out").read_all()
                if r.key.key == "a" and r.value is not None
            }
            for window, result in expected.items():
                assert last[window] == result
            assert emit == "update" or last.keys() == expected.keys()


def test_cogroup_with_final_results_gives_each_window_once_with_all_inputs_in_it() -> None:
    app = App("app")
    left, right = (app.stream(topic, key=str, value=Json()).group_by_key() for topic in ("left", "right"))
    cogrouped = left.cogroup(lambda k, v, a: [*a, v]).cogroup(right, lambda k, v, a: [*a, -v])
    table = cogrouped.windowed_by(tumbling(10 * MS, grace=0 * MS), emit="close").aggregate(list, value=Json())
    table.to_stream().to("out")
    with TopologyTestDriver(app) as driver:
        one, other = driver.input_topic("left"), driver.input_topic("right")
        one.pipe(1, key="a", timestamp=1)
        other.pipe(2, key="a", timestamp=2)
        one.pipe(3, key="a", timestamp=12)
        other.pipe(4, key="a", timestamp=3)  # the clock is both inputs': this is late
        other.pipe(5, key="a", timestamp=25)
        results = driver.output_topic("out").read_all()
        assert [(r.key.start, r.value) for r in results] == [(0, [1, -2]), (10, [3])]


def test_cogroup_inputs_that_change_their_key_have_repartition_topics_of_their_own() -> None:
    app = App("app")
    left, right = (app.stream(topic, key=str, value=Json()).group_by(lambda k, v: v, key=str) for topic in ("l", "r"))
    left.cogroup(lambda k, v, a: a).cogroup(right, lambda k, v, a: a).aggregate(int, store="both").to_stream().to("out")
    plan = app.plan()
    topics = [source.topic for sub in plan.subtopologies for source in sub.sources if source.role == "repartition"]
    assert topics == ["app-both-1-repartition", "app-both-2-repartition"]


def test_cogroup_of_topics_with_different_partition_counts_is_refused() -> None:
    app = App("app")
    left, right = (app.stream(topic, key=str, value=Json()).group_by_key() for topic in ("l", "r"))
    left.cogroup(lambda k, v, a: a).cogroup(right, lambda k, v, a: a).aggregate(int).to_stream().to("out")
    plan = app.plan()
    with pytest.raises(TopologyError, match="one side"):
        plan.partitions({"l": 2, "r": 3})


@pytest.mark.parametrize(
    ("windows", "options", "how", "message"),
    [
        (unlimited(), {"emit": "close"}, {}, "unlimited windows never close"),
        (tumbling(MS, grace=MS), {"emit": "final"}, {}, 'emit is "update" or "close"'),
        (session(MS, grace=MS), {}, {"merger": None}, "needs a merger"),
        (sliding(5 * MS, grace=MS), {}, {"retention": 10 * MS}, "is 10 ms, but its windows need .* 11 ms"),
        (session(5 * MS, grace=MS), {}, {"retention": 5 * MS, "merger": lambda a, b: a}, "need their gap and grace"),
    ],
)
def test_windowed_by_what_cannot_be_is_a_problem_of_the_topology(
    windows: Any, options: Any, how: Any, message: str
) -> None:
    app = App("app")
    grouped = app.stream("in", key=str, value=Json()).group_by_key()
    grouped.windowed_by(windows, **options).aggregate(int, lambda k, v, a: a, **how)
    with pytest.raises(TopologyError, match=message):
        app.plan()
