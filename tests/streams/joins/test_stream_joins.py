"""Joins of streams as a user declares them: windows, names, stores, repartitions, what is dropped, what is refused."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from streams import App, Context, F, JoinWindows, Json, Stores, StreamJoined, TopologyError, join_window
from streams.operators.repartition import Repartition
from streams.render import describe
from streams.testing import TopologyTestDriver
from tests.streams.joins.two_streams import Kind, join_of, joining
from tests.streams.windows.interrupted import MS

TEN = join_window(10 * MS, grace=0 * MS)


def results(driver: TopologyTestDriver, topic: str = "out") -> list[tuple[Any, Any, int]]:
    return [(record.key, record.value, record.timestamp) for record in driver.output_topic(topic).read_all()]


def store_names(app: App) -> list[str]:
    return [store.name for _, store in app.plan().stores()]


# -- windows


def test_join_window_with_one_duration_reaches_as_far_both_ways() -> None:
    assert join_window(5 * MS, grace=1 * MS) == JoinWindows(before_ms=5, after_ms=5, grace_ms=1)
    assert join_window(5 * MS, -2 * MS, grace=0 * MS) == JoinWindows(before_ms=5, after_ms=-2, grace_ms=0)


@pytest.mark.parametrize(
    ("arguments", "grace", "named"),
    [
        ((-5 * MS,), 0 * MS, "before must not be negative"),
        ((5 * MS, -6 * MS), 0 * MS, "before and after together"),
        ((5 * MS,), -1 * MS, "grace must not be negative"),
        ((5,), 0 * MS, "before must be a timedelta"),
        ((timedelta(microseconds=5),), 0 * MS, "before must be whole milliseconds"),
    ],
)
def test_join_window_of_impossible_durations_is_refused(arguments: Any, grace: timedelta, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        join_window(*arguments, grace=grace)


@pytest.mark.parametrize("kind", ["inner", "self"])
@pytest.mark.parametrize("optimization", ["none", "all"])
def test_join_window_that_lies_before_time_0_ends_there(kind: Kind, optimization: str) -> None:
    """As in Kafka Streams: the left record of time 1 looks for right ones until -1, which is taken for 0."""
    app = App("app", topology_optimization=optimization)
    left, right = app.stream("left", key=str, value=Json()), app.stream("right", key=str, value=Json())
    join_of(left, right, kind, join_window(5 * MS, -2 * MS, grace=9 * MS)).to("out")
    with TopologyTestDriver(app) as driver:
        driver.input_topic("left" if kind == "self" else "right").pipe("a", key="k", timestamp=0)
        driver.input_topic("left").pipe("b", key="k", timestamp=1)
        found = [(key, value) for key, value, _ in results(driver)]
        assert ("k", ["b", "a"]) in found
        assert ("k", ["a", "b"]) not in found


# -- what the joiner gets


def test_joiner_gets_the_key_if_it_takes_three_arguments() -> None:
    app = App("app")
    left, right = app.stream("left", key=str, value=str), app.stream("right", key=str, value=str)
    left.left_join(right, lambda key, mine, theirs: f"{key}:{mine}-{theirs}", windows=TEN, value=str).to("out")
    with TopologyTestDriver(app) as driver:
        driver.input_topic("left").pipe("A", key="k", timestamp=0)
        driver.input_topic("right").pipe("a", key="k", timestamp=1)
        driver.input_topic("left").pipe("B", key="m", timestamp=2)
        driver.input_topic("left").pipe("C", key=None, timestamp=3)
        driver.input_topic("left").pipe("D", key="m", timestamp=13)
        assert results(driver) == [("k", "k:A-a", 1), (None, "None:C-None", 3), ("m", "m:B-None", 2)]


def test_joiner_with_a_context_sees_the_record_that_made_the_result() -> None:
    app = App("app")
    left, right = app.stream("left", key=str, value=str), app.stream("right", key=str, value=str)

    def joined(mine: str, theirs: str | None, context: Context) -> str:
        return f"{mine}{theirs} {context.topic or 'time'}"

    left.left_join(right, joined, windows=TEN).to("out")
    with TopologyTestDriver(app) as driver:
        for topic, value, key, ts in [("left", "A", "k", 0), ("right", "a", "k", 1), ("left", "B", "m", 2)]:
            driver.input_topic(topic).pipe(value, key=key, timestamp=ts)
        driver.input_topic("right").pipe("z", key="z", timestamp=40)
        assert results(driver) == [("k", "Aa right", 1), ("m", "BNone time", 2)]


def test_joiner_result_type_is_told_from_its_annotation() -> None:
    app = App("app")
    left, right = app.stream("left", key=str, value=int), app.stream("right", key=str, value=float)

    def ratio(mine: int, theirs: float) -> float:
        return mine / theirs

    joined = left.join(right, ratio, windows=TEN)
    assert joined._node.schema.value.type is float


# -- what is dropped and counted


def test_null_keys_and_values_are_dropped_and_counted_where_they_cannot_come_out() -> None:
    with TopologyTestDriver(joining("left", TEN)) as driver:
        driver.input_topic("left").pipe(1, key=None, timestamp=0)
        driver.input_topic("right").pipe(2, key=None, timestamp=0)
        driver.input_topic("left").pipe(None, key="k", timestamp=0)
        driver.input_topic("right").pipe(None, key=None, timestamp=0)
        assert results(driver) == [(None, [1, None], 0)]
        counters = driver.counters()
        assert (counters["dropped_null_key"], counters["dropped_null_value"]) == (1, 2)


def test_record_without_a_value_moves_the_clock_but_lets_nothing_out() -> None:
    """The next record with the clock's own time does, and one that comes late may still be met until then."""
    with TopologyTestDriver(joining("left", TEN)) as driver:
        left, right = driver.input_topic("left"), driver.input_topic("right")
        left.pipe("A", key="k", timestamp=0)
        left.pipe("B", key="m", timestamp=0)
        left.pipe(None, key="z", timestamp=50)
        assert results(driver) == []
        right.pipe("a", key="k", timestamp=5)
        assert results(driver) == [("k", ["A", "a"], 5)]
        right.pipe("z", key="z", timestamp=50)
        assert results(driver) == [("m", ["B", None], 0)]


def test_record_too_late_to_be_kept_is_counted_and_still_meets_what_the_other_side_keeps() -> None:
    with TopologyTestDriver(joining("inner", TEN)) as driver:
        left, right = driver.input_topic("left"), driver.input_topic("right")
        right.pipe("a", key="k", timestamp=5)
        left.pipe("A", key="other", timestamp=30)
        left.pipe("B", key="k", timestamp=10)
        assert results(driver) == [("k", ["B", "a"], 10)]
        assert driver.counters()["dropped_late"] == 1
        right.pipe("b", key="k", timestamp=6)
        assert results(driver) == [], "B was not kept"


def test_failing_joiner_loses_only_its_own_record() -> None:
    """What is due behind a failure comes out with the next record."""
    app = App("app", processing_handler="continue")
    left, right = app.stream("left", key=str, value=int), app.stream("right", key=str, value=int)
    left.left_join(right, lambda mine, theirs: 100 // mine, windows=TEN, value=int).to("out")
    with TopologyTestDriver(app) as driver:
        for place, value in enumerate([5, 0, 4]):
            driver.input_topic("left").pipe(value, key="k", timestamp=place)
        driver.input_topic("right").pipe(1, key="z", timestamp=40)
        driver.input_topic("right").pipe(1, key="z", timestamp=41)
        assert results(driver) == [("k", 20, 0), ("k", 25, 2)]
        assert driver.counters()["skipped_processing"] == 1


# -- names, topics, stores


def test_stores_and_topics_are_named_after_the_chain_or_as_the_user_says() -> None:
    app = App("app")
    clicks, views = app.stream("clicks", key=str, value=Json()), app.stream("views", key=str, value=Json())
    clicks.join(views, lambda a, b: a, windows=TEN).to("one")
    clicks.filter(F.x > 1).outer_join(views, lambda a, b: a, windows=TEN).group_by_key().count()
    clicks.left_join(views, lambda a, b: a, windows=TEN, store="kept", name="matched").to("two")
    assert store_names(app) == [
        "clicks-join-left",
        "clicks-join-right",
        "clicks-join-2-left",
        "clicks-join-2-right",
        "clicks-join-2-unmatched",
        "clicks-count",
        "kept-left",
        "kept-right",
        "kept-unmatched",
    ]
    labels = {node.label for node in app.plan().subtopologies[0].nodes}
    assert {"matched", "matched-left", "matched-right", "clicks-stream-join"} <= labels


def test_changed_keys_go_through_topics_of_equal_partition_counts() -> None:
    app = App("app")
    left = app.stream("left", key=str, value=Json()).select_key(lambda k, v: str(v))
    right = app.stream("right", key=str, value=Json()).select_key(lambda k, v: str(v))
    left.left_join(right, lambda a, b: [a, b], windows=TEN, value=Json()).to("out")
    left.join(right, lambda a, b: [a, b], windows=TEN, value=Json(), name="both").to("out-2")
    plan = app.plan()
    fitted = plan.partitions({"left": 2, "right": 5})
    assert {topic: count for topic, count in fitted.counts.items() if topic.endswith("repartition")} == {
        "app-left-join-repartition": 5,
        "app-right-join-repartition": 5,
        "app-both-left-repartition": 5,
        "app-both-right-repartition": 5,
    }
    keeping = {n.topic: n.keeps_null_keys for s in plan.subtopologies for n in s.nodes if isinstance(n, Repartition)}
    assert keeping == {topic: "both" not in topic for topic in keeping}, "inner joins drop null keys before the topic"
    with TopologyTestDriver(app) as driver:
        driver.input_topic("left").pipe(7, key="x", timestamp=1)
        driver.input_topic("right").pipe(7, key="y", timestamp=2)
        assert results(driver) == results(driver, "out-2") == [("7", [7, 7], 2)]


def test_partition_counts_follow_the_join_partner_even_where_one_topic_feeds_the_other() -> None:
    app = App("app")
    first = app.stream("in", key=str, value=Json()).repartition(name="a")
    second = first.select_key(lambda k, v: k).repartition(name="b")
    first.join(second, lambda a, b: a, windows=TEN, value=Json()).to("out")
    assert dict(app.plan().partitions({"in": 3}).counts) == {"in": 3, "app-a-repartition": 3, "app-b-repartition": 3}


def test_topics_of_unequal_counts_are_refused_with_the_users_line() -> None:
    with pytest.raises(TopologyError, match=r"'left' has 2 and 'right' has 3"):
        joining("inner", TEN).plan().partitions({"left": 2, "right": 3})


def test_self_join_has_one_store_which_the_topology_shows() -> None:
    """An inner join of one stream with itself; not a left one, whose records may wait, nor two different streams."""
    app = joining("self", TEN)
    assert store_names(app) == ["left-join-left"]
    text = re.sub(r"\s+", " ", describe(app.plan()))
    assert "Processor: left-stream-join-self (stores: [left-join-left]) --> left-stream-join" in text
    app = App("app")
    stream = app.stream("in", key=str, value=Json())
    stream.left_join(stream, lambda a, b: a, windows=TEN).to("out")
    stream.join(stream.filter(F.x > 1), lambda a, b: a, windows=TEN).to("out")
    assert len(store_names(app)) == 5


def test_self_join_of_a_rekeyed_stream_reads_one_topic() -> None:
    app = App("app")
    stream = app.stream("in", key=str, value=int).map(lambda k, v: (str(v % 10), v), key=str, value=int)
    stream.join(stream, lambda a, b: [a, b], windows=TEN, value=Json(), name="pairs").to("out")
    assert [source.topic for sub in app.plan().subtopologies for source in sub.sources] == [
        "in",
        "app-pairs-left-repartition",
    ]
    with TopologyTestDriver(app) as driver:
        for place, value in enumerate([12, 22, 5]):
            driver.input_topic("in").pipe(value, key="x", timestamp=place)
        pairs = [value for _, value, _ in results(driver)]
        assert pairs == [[12, 12], [22, 12], [12, 22], [22, 22], [5, 5]]


def test_stores_in_memory_and_without_changelog_as_the_user_says() -> None:
    app = joining("outer", TEN, store=StreamJoined("kept", persistent=False, logged=False))
    for _, store in app.plan().stores():
        assert not store.spec.persistent
        assert store.changelog is None
    with TopologyTestDriver(app, stores="rocksdb") as driver:
        driver.input_topic("left").pipe("A", key="k", timestamp=0)
        driver.restart()
        driver.input_topic("right").pipe("a", key="k", timestamp=1)
        driver.input_topic("right").pipe("b", key="m", timestamp=50)
        assert results(driver) == [("k", [None, "a"], 1)], "what was in memory only is lost"


def test_stores_of_ones_own_are_used_where_they_fit_the_windows() -> None:
    own = Stores.window("mine", size=20 * MS, retention=20 * MS, value=Json(), retain_duplicates=True, persistent=False)
    app = joining("left", TEN, store=StreamJoined("kept", left=own))
    kept = {store.name: store.spec for _, store in app.plan().stores()}
    assert list(kept) == ["mine", "kept-right", "kept-unmatched"]
    assert [spec.persistent for spec in kept.values()] == [False, True, True]
    with TopologyTestDriver(app) as driver:
        driver.input_topic("left").pipe("A", key="k", timestamp=0)
        driver.input_topic("right").pipe("a", key="k", timestamp=1)
        assert results(driver) == [("k", ["A", "a"], 1)]


def test_changelogs_have_the_settings_that_were_given_for_them() -> None:
    own = Stores.window(
        "mine", size=20 * MS, retention=20 * MS, retain_duplicates=True, changelog={"segment.bytes": "2000"}
    )
    app = joining("left", TEN, store=StreamJoined("kept", left=own, changelog={"segment.bytes": "1000"}))
    assert {store.name: store.changelog_configs["segment.bytes"] for _, store in app.plan().stores()} == {
        "mine": "2000",
        "kept-right": "1000",
        "kept-unmatched": "1000",
    }
    refused = joining("left", TEN, store=StreamJoined("kept", logged=False, changelog={"segment.bytes": "1000"}))
    with pytest.raises(TopologyError, match="a store that is not logged has no changelog topic"):
        refused.plan()


def test_rows_of_both_sides_and_of_what_waits_can_be_read() -> None:
    with TopologyTestDriver(joining("outer", TEN)) as driver:
        driver.input_topic("left").pipe("A", key="k", timestamp=3)
        driver.input_topic("right").pipe("a", key="m", timestamp=4)
        assert driver.rows("left-join-left") == {("k", 3): ("A", 3)}
        assert driver.rows("left-join-right") == {("m", 4): ("a", 4)}
        assert list(driver.rows("left-join-unmatched")) == [(4, b"m"), (3, b"k")]
        driver.input_topic("right").pipe("b", key="k", timestamp=5)
        assert list(driver.rows("left-join-unmatched")) == [(4, b"m")]


# -- what is refused


def refused(declare: Any) -> str:
    app = App("app")
    left, right = app.stream("left", key=str, value=Json()), app.stream("right", key=str, value=Json())
    declare(app, left, right)
    with pytest.raises(TopologyError) as caught:
        app.plan()
    assert __file__ in str(caught.value)
    return str(caught.value)


def pick(a: Any, b: Any) -> Any:
    return a


def test_mistakes_in_joins_of_streams_are_named_with_their_cure() -> None:
    """One declaration each; the message names the operator and what to write instead."""
    assert "windows=join_window(" in refused(lambda app, left, right: left.join(right, pick))
    assert "windows=join_window(" in refused(lambda app, left, right: left.outer_join(right, pick, windows=5))
    assert "select_key" in refused(lambda app, left, right: left.join(right, pick, windows=TEN, on=F.x))
    assert "equal keys on both sides" in refused(
        lambda app, left, right: left.join(app.stream("third", key=int, value=Json()), pick, windows=TEN)
    )
    assert "a stream of the same App" in refused(
        lambda app, left, right: left.join(App("b").stream("x", key=str), pick, windows=TEN)
    )
    assert "not the expression" in refused(lambda app, left, right: left.join(right, F.x, windows=TEN))
    assert "takes no windows= and store=" in refused(
        lambda app, left, right: left.join(app.table("t", key=str), pick, windows=TEN)
    )
    assert "there is already a store named 'kept-left'" in refused(
        lambda app, left, right: [
            app.table("t", key=str, store="kept-left"),
            left.join(right, pick, windows=TEN, store="kept"),
        ]
    )


def test_stores_of_ones_own_that_do_not_fit_are_refused() -> None:
    def with_own(own: Any) -> str:
        return refused(lambda app, left, right: left.join(right, pick, windows=TEN, store=StreamJoined(left=own)))

    kept: dict[str, Any] = {"size": 20 * MS, "retention": 20 * MS, "retain_duplicates": True}
    assert "retain_duplicates is False" in with_own(Stores.window("own", **{**kept, "retain_duplicates": False}))
    assert "size in ms is 10" in with_own(Stores.window("own", **{**kept, "size": 10 * MS}))
    assert "retention in ms is 30" in with_own(Stores.window("own", **{**kept, "retention": 30 * MS}))
    assert "needs window stores" in with_own(Stores.key_value("own"))
