"""Global tables in the test driver: joins by any key, updates, errors."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
import pytest

from streams import App, F, SerdeError, TopologyError
from streams.testing import TopologyTestDriver


class Click(msgspec.Struct):
    page: str | None
    ms: int


@pytest.mark.parametrize("stores", ["memory", "rocksdb"])
def test_join_looks_up_the_key_of_its_choice_and_keeps_the_records(stores: Literal["memory", "rocksdb"]) -> None:
    app = App("app")
    pages = app.global_table("pages", key=str, value=str, store="pages-by-name")
    clicks = app.stream("clicks", key=str, value=Click)
    clicks.join(pages, lambda click, title: f"{title}/{click.ms}", on=F.page).to("inner")
    clicks.left_join(pages, lambda click, title: f"{title}/{click.ms}", on=lambda k, v: v.page).to("left")
    with TopologyTestDriver(app, stores=stores) as driver:
        for page, ms in [("home", 1), (None, 2)]:
            driver.input_topic("clicks").pipe(Click(page, ms), key="u", timestamp=ms)
        driver.input_topic("pages").pipe("Home", key="home", timestamp=9)
        driver.input_topic("clicks").pipe(Click("home", 3), key=None, timestamp=3)
        driver.input_topic("pages").pipe(None, key="home", timestamp=10)
        driver.input_topic("clicks").pipe(Click("home", 4), key="u", timestamp=4)
        inner = [(r.key, r.value, r.timestamp) for r in driver.output_topic("inner").read_all()]
        left = [r.value for r in driver.output_topic("left").read_all()]
        assert inner == [(None, "Home/3", 3)]
        assert left == ["None/1", "None/2", "Home/3", "None/4"]
        assert driver.rows("pages-by-name") == {}
        assert driver.counters()["dropped_null_key"] == 1


def test_join_by_the_records_own_key_needs_no_repartition() -> None:
    app = App("app")
    table = app.global_table("names", key=str, value=str)
    rekeyed = app.stream("in", key=str, value=int).select_key(lambda k, v: f"k{v}")
    rekeyed.join(table, lambda v, name: f"{name}{v}").to("out")
    assert table.store_name == "names-global-table"
    assert [sub.repartition_sinks for sub in app.plan().subtopologies] == [()]
    with TopologyTestDriver(app) as driver:
        driver.input_topic("names").pipe("n", key="k7")
        driver.input_topic("in").pipe(7, key="x")
        assert driver.output_topic("out").read().value == "n7"


def test_topic_that_the_topology_writes_reaches_its_global_table() -> None:
    app = App("app")
    table = app.global_table("names", key=str, value=str)
    app.stream("raw", key=str, value=str).to("names")
    app.stream("in", key=str, value=str).join(table, lambda v, name: f"{name}{v}").to("out")
    with TopologyTestDriver(app) as driver:
        driver.input_topic("raw").pipe("n", key="k")
        driver.input_topic("in").pipe("1", key="k")
        assert driver.output_topic("out").read().value == "n1"


def test_global_table_record_that_does_not_decode_is_named_and_changes_nothing() -> None:
    app = App("app")
    table = app.global_table("pages", key=str, value=Click, store="pages")
    app.stream("in", key=str, value=int).join(table, lambda v, p: v).to("out")
    with TopologyTestDriver(app) as driver:
        driver.input_topic("pages").pipe(Click("a", 1), key="k")
        with pytest.raises(SerdeError, match=r"pages\[0\] at offset 1"):
            driver.input_topic("pages", value=bytes).pipe(b"{", key="k")
        assert driver.rows("pages") == {"k": (Click("a", 1), 0)}


def test_global_table_mistakes_are_all_named() -> None:
    app = App("app")
    table = app.global_table("pages", key=str, value=str)
    app.global_table("pages", key=str, value=str, store="again")
    stream = app.stream("pages", key=str, value=Click)
    stream.join(table, lambda v, p: v, on=F.ms)
    stream.join(app.table("t", key=str), lambda v, p: v, on=F.page)
    with pytest.raises(TopologyError) as caught:
        app.plan()
    messages = [problem.message for problem in caught.value.problems]
    assert sum("read twice" in message for message in messages) == 2
    assert any("equal keys" in message for message in messages)
    assert any("on= is for global tables" in message for message in messages)


def test_source_topics_of_a_plan_name_global_ones() -> None:
    app = App("app")
    table = app.global_table("pages", key=str, value=str)
    stream: Any = app.stream("in", key=str, value=str)
    stream.join(table, lambda v, p: v).to("out")
    assert app.plan().source_topics() == ("in", "pages")
    with pytest.raises(TopologyError, match="'pages' does not exist"):
        app.plan().partitions({"in": 3})
    plan = app.plan().partitions({"in": 3, "pages": 2})
    assert plan.counts["pages"] == 2
    assert len(plan.tasks) == 3
