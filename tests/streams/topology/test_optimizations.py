"""What `topology_optimization` changes in a plan, and that it changes no result."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import App, ConfigError, F, Json, join_window, tumbling
from streams.plan.fingerprint import fingerprint, incompatibilities
from streams.render.document import document
from streams.render.text import describe
from streams.testing import TopologyTestDriver
from tests.streams.examples import examples
from tests.streams.windows.interrupted import MS

ALL = {"reuse_ktable_source_topics", "merge_repartition_topics", "single_store_self_join"}


def topics(app: App, **partitions: int) -> list[str]:
    """The internal topics of an application."""
    return [topic.name for topic in app.plan().partitions(partitions).internal_topics]


# -- the setting ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("none", set[str]()),
        ("all", ALL),
        ("merge.repartition.topics, reuse.ktable.source.topics", ALL - {"single_store_self_join"}),
        ({"merge_repartition_topics"}, {"merge_repartition_topics"}),
    ],
)
def test_optimizations_are_named_as_in_kafka_streams(given: Any, found: set[str]) -> None:
    assert App("app", topology_optimization=given).settings.topology_optimization == found


def test_optimizations_come_from_the_environment_and_are_off_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert App("app").settings.topology_optimization == frozenset()
    monkeypatch.setenv("HEADRACE_TOPOLOGY_OPTIMIZATION", "all")
    assert App("app").settings.topology_optimization == ALL


def test_optimization_nobody_knows_is_refused() -> None:
    with pytest.raises(ConfigError, match="topology_optimization"):
        App("app", topology_optimization="fast")


# -- source topics as changelogs --------------------------------------------------------------------------------------
def reusing(optimization: str = "reuse_ktable_source_topics", **options: Any) -> App:
    app = App("app", topology_optimization=optimization, deserialization_handler="continue")
    table = app.table("prices", key=str, value=int, store="prices", **options)
    app.stream("sales", key=str, value=int).join(table, lambda n, price: n * price, value=int).to("out")
    return app


def test_table_whose_source_topic_is_its_changelog_has_no_other() -> None:
    app = reusing()
    [(_, store)] = app.plan().stores()
    assert (store.changelog, store.source) == (None, "prices")
    assert topics(app, prices=2, sales=2) == []
    assert "Store: prices (key-value, RocksDB, filled by prices)" in describe(app.plan())
    assert json.loads(document(app.plan()))["subtopologies"][0]["stores"][0]["filled_by"] == "prices"


@pytest.mark.parametrize(
    ("optimization", "options"),
    [
        ("none", {}),
        ("merge_repartition_topics", {}),
        ("all", {"timestamp": lambda value: value}),
        ("all", {"invalid_timestamp": "skip"}),
        ("all", {"invalid_timestamp": "partition_time"}),
    ],
)
def test_table_whose_rows_the_topic_does_not_tell_keeps_its_changelog(optimization: str, options: Any) -> None:
    app = reusing(optimization, **options)
    assert topics(app, prices=2, sales=2) == ["app-prices-changelog"]


def test_table_made_of_a_stream_keeps_its_changelog() -> None:
    app = App("app", topology_optimization="all")
    app.stream("in").to_table(store="kept")
    assert topics(app, **{"in": 1}) == ["app-kept-changelog"]


@pytest.mark.parametrize("lose_state", [False, True])
def test_table_is_restored_from_its_source_as_far_as_that_was_read(lose_state: bool) -> None:
    """Without what the task passed over: null keys, and values that do not decode."""
    with TopologyTestDriver(reusing(), commit="manual") as driver:
        prices, sales = driver.input_topic("prices"), driver.input_topic("sales")
        for key, price in [("a", 1), ("b", 2), (None, 9), ("a", 3), ("b", None)]:
            prices.pipe(price, key=key)
        driver.input_topic("prices", value=Json()).pipe("rubbish", key="a")
        driver.commit()
        prices.pipe(5, key="c")  # read, but not committed: read again
        driver.restart(lose_state=lose_state)
        assert driver.store("prices").all() == {"a": 3, "c": 5}
        for key in "abc":
            sales.pipe(10, key=key)
        assert [record.value for record in driver.output_topic("out").read_all()] == [30, 50]


def test_switching_where_a_table_is_restored_from_is_told_before_rows_are_misread() -> None:
    own, reused = reusing("none").plan(), reusing().plan()
    [problem] = incompatibilities(reused, fingerprint(own))
    assert "restored from a changelog of its own and is from topic 'prices'" in problem.message
    assert len(incompatibilities(own, fingerprint(reused))) == 1
    assert incompatibilities(reused, fingerprint(reused)) == []


# -- merged repartition topics ----------------------------------------------------------------------------------------
def branching(optimization: str) -> App:
    """One change of the key, and three ways from there: two through a filter or peek, one with a table."""
    app = App("app", topology_optimization=optimization)
    sales = app.stream("sales", key=str, value=dict).select_key(F["shop"], key=str)
    sales.to("seen")
    sales.filter(F["n"] > 1).group_by_key().count(store="big").to_stream().to("big-out")
    shops = app.table("shops", key=str, value=str)
    sales.peek(lambda key, value: None).left_join(shops, lambda sale, shop: [sale["n"], shop], value=Json()).to(
        "joined"
    )
    windowed = sales.group_by_key().windowed_by(tumbling(10 * MS, grace=0 * MS))
    windowed.count(store="windows").to_stream().to("windows-out")
    return app


def test_streams_behind_one_change_of_the_key_share_a_topic() -> None:
    apart = topics(branching("none"), sales=4, shops=4)
    merged = topics(branching("merge_repartition_topics"), sales=4, shops=4)
    assert [t for t in apart if "repartition" in t] == [
        "app-big-repartition", "app-sales-join-repartition", "app-windows-repartition"
    ]  # fmt: skip
    assert [t for t in merged if "repartition" in t] == ["app-big-repartition"]
    first, second = branching("all").plan().subtopologies
    assert first.sinks == ("seen",)
    assert [sink.topic for sink in first.repartition_sinks] == ["app-big-repartition"]
    assert {source.topic for source in second.sources} == {"app-big-repartition", "shops"}


def test_merged_topic_keeps_null_keys_if_one_of_those_who_share_it_needs_them() -> None:
    for optimization in ("none", "all"):
        with TopologyTestDriver(branching(optimization)) as driver:
            driver.input_topic("sales").pipe({"n": 3, "shop": None}, key="x")
            assert [r.value for r in driver.output_topic("joined").read_all()] == [[3, None]]


@examples(30)
@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(0, 3), st.integers(0, 40)) | st.sampled_from("ab"), max_size=25
    )
)
def test_merged_topics_change_no_result(inputs: list[Any]) -> None:
    results: list[dict[str, list[Any]]] = []
    for optimization in ("none", "all"):
        with TopologyTestDriver(branching(optimization)) as driver:
            sales, shops = driver.input_topic("sales"), driver.input_topic("shops")
            for given_ in inputs:
                if isinstance(given_, str):
                    shops.pipe(given_.upper(), key=given_)
                else:
                    shop, n, ts = given_
                    sales.pipe({"shop": shop, "n": n}, key="x", timestamp=ts)
            results.append(
                {
                    topic: [(r.key, r.value, r.timestamp) for r in driver.output_topic(topic).read_all()]
                    for topic in ("seen", "big-out", "joined", "windows-out")
                }
            )
    assert results[0] == results[1]


def test_others_who_hear_a_filter_go_on_hearing_it_before_the_topic() -> None:
    app = App("app", topology_optimization="all")
    rekeyed = app.stream("in", key=str, value=Json()).select_key(lambda k, v: v, key=str)
    filtered = rekeyed.filter(lambda k, v: True)
    filtered.to("seen")
    filtered.group_by_key().count(store="one").to_stream().to("out")
    filtered.group_by_key().count(store="two").to_stream().to("out")
    rekeyed.group_by_key().count(store="three").to_stream().to("out")
    assert [t for t in topics(app, **{"in": 1}) if "repartition" in t] == [
        "app-one-repartition", "app-three-repartition"
    ]  # fmt: skip
    with TopologyTestDriver(app) as driver:
        driver.input_topic("in").pipe(None, key="x")
        assert len(driver.output_topic("seen").read_all()) == 1


def test_branches_share_the_topic_when_all_of_them_need_it() -> None:
    for default, expected in [(True, 1), (False, 2)]:
        app = App("app", topology_optimization="all")
        split = app.stream("in", key=str, value=int).select_key(lambda k, v: k, key=str).split()
        split = split.branch(lambda k, v: v > 5, name="high").branch(lambda k, v: v > 2, name="mid")
        branches = split.default_branch(name="low") if default else split.no_default_branch()
        high, mid = branches["high"], branches["mid"]
        high.group_by_key().count().to_stream().to("high")
        mid.group_by_key().count().to_stream().to("mid")
        if default:
            branches["low"].group_by_key().count().to_stream().to("low")
        else:
            mid.to("seen")
        assert len([t for t in topics(app, **{"in": 1}) if "repartition" in t]) == expected
        with TopologyTestDriver(app) as driver:
            for value in (9, 3, 1, 8):
                driver.input_topic("in").pipe(value, key="k")
            assert [r.value for r in driver.output_topic("high").read_all()] == [1, 2]
            assert [r.value for r in driver.output_topic("mid").read_all()] == [1]


def test_topic_stays_behind_a_branch_when_other_branches_do_not_need_it() -> None:
    """The branch's stream is joined with itself; between the split and its branches there is no place for a topic."""
    app = App("app", topology_optimization="merge_repartition_topics")
    rekeyed = app.stream("in", key=str, value=int).select_key(lambda k, v: k, key=str)
    low = rekeyed.split().branch(lambda k, v: v > 5, name="high").default_branch(name="low")["low"]
    low.join(low, lambda a, b: [a, b], windows=join_window(9 * MS, 9 * MS, grace=0 * MS), value=Json()).to("out")
    with TopologyTestDriver(app) as driver:
        for value in (9, 3):
            driver.input_topic("in").pipe(value, key="k", timestamp=5)
        assert [r.value for r in driver.output_topic("out").read_all()] == [[3, 3]]


@pytest.mark.parametrize("optimization", ["none", "all"])
def test_operators_behind_a_repartitioned_join_get_no_topic_of_their_own(optimization: str) -> None:
    app = App("app", topology_optimization=optimization)
    stream, windows = app.stream("in", key=str, value=Json()), join_window(9 * MS, 9 * MS, grace=0 * MS)
    rekeyed = stream.select_key(lambda k, v: k, key=str)
    once = rekeyed.outer_join(stream, lambda a, b: [a, b], windows=windows, value=Json())
    once.outer_join(once, lambda a, b: [a, b], windows=windows, value=Json()).to("out")
    assert [t for t in topics(app, **{"in": 1}) if "repartition" in t] == ["app-in-join-repartition"]


def test_streams_written_in_different_forms_do_not_share_a_topic() -> None:
    app = App("app", topology_optimization="all")
    rekeyed = app.stream("in", key=str, value=Json()).select_key(lambda k, v: k)
    rekeyed.group_by_key(key=str).count().to_stream().to("out")
    rekeyed.group_by_key(key=int).count().to_stream().to("out")
    rekeyed.map_values(lambda v: [v], value=Json()).group_by_key(key=str).reduce(lambda a, v: v).to_stream().to("out")
    assert len([t for t in topics(app, **{"in": 1}) if "repartition" in t]) == 3


def test_repartition_that_was_asked_for_stays_where_it_is() -> None:
    app = App("app", topology_optimization="all")
    rekeyed = app.stream("in", key=str, value=Json()).select_key(lambda k, v: k, key=str)
    rekeyed.repartition(name="mine").to("out")
    rekeyed.group_by_key().count().to_stream().to("out")
    assert [t for t in topics(app, **{"in": 1}) if "repartition" in t] == [
        "app-mine-repartition", "app-in-count-repartition"
    ]  # fmt: skip
