"""Joins of two tables: a worked input, an oracle, views and errors."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import App, TopologyError, tumbling
from streams.dsl.ktable import KTable
from streams.testing import TopologyTestDriver
from tests.streams.examples import examples

METHODS = {"inner": "join", "left": "left_join", "outer": "outer_join"}

# Side, value and timestamp; from Kafka Streams' `TableTableJoinIntegrationTest`, one key
WORKED = [
    *[("L", None, 1), ("R", None, 2), ("L", "A", 3), ("R", "a", 4), ("L", "B", 5), ("R", "b", 6), ("L", None, 7)],
    *[("R", None, 8), ("L", "C", 9), ("R", "c", 10), ("R", None, 11), ("L", None, 12), ("R", None, 13)],
    *[("R", "d", 7), ("L", "D", 6), ("L", None, 2), ("R", None, 3), ("R", "e", 14), ("L", "E", 15)],
    *[("L", None, 10), ("R", None, 9), ("L", "F", 4), ("R", "f", 3)],
]

RESULTS = {
    "inner": "A-a4 B-a5 B-b6 .7 C-c10 .11 D-d7 .7 E-e15 .14 F-f4",
    "left": "A-None3 A-a4 B-a5 B-b6 .7 C-None9 C-c10 C-None11 .12 D-d7 .7 E-e15 .14 F-None4 F-f4",
    "outer": (
        "A-None3 A-a4 B-a5 B-b6 None-b7 .8 C-None9 C-c10 C-None11 .12 None-d7 D-d7 None-d7 .3 None-e14 E-e15 None-e14 "
        ".9 F-None4 F-f4"
    ),
}


def joined(left: KTable[Any, Any], right: KTable[Any, Any], kind: str, **options: Any) -> KTable[Any, Any]:
    return getattr(left, METHODS[kind])(right, lambda one, other: f"{one}-{other}", value=str, **options)


@pytest.mark.parametrize("kind", METHODS)
@pytest.mark.parametrize("store", [None, "joined"])
def test_join_of_the_worked_input_gives_the_recorded_results(kind: str, store: str | None) -> None:
    app = App("app")
    left, right = app.table("L", key=str, value=str), app.table("R", key=str, value=str)
    joined(left, right, kind, store=store).to_stream().to("out")
    with TopologyTestDriver(app) as driver:
        for topic, value, timestamp in WORKED:
            driver.input_topic(topic).pipe(value, key="k", timestamp=timestamp)
        out = [f"{r.value or '.'}{r.timestamp}" for r in driver.output_topic("out").read_all()]
    assert out == RESULTS[kind].split()


sides = st.lists(st.tuples(st.sampled_from("LR"), st.sampled_from("ab"), st.none() | st.integers(0, 3)), max_size=20)


@examples(30)
@given(sides, st.sampled_from(list(METHODS)), st.sampled_from(["all", "commit"]))
def test_join_and_what_follows_it_equal_a_join_of_the_rows_there_are(
    updates: list[tuple[str, str, int | None]], kind: str, emit: str
) -> None:
    """After all updates: a stored join, a view joined again, and an aggregate of the join, each from scratch."""
    app = App("app", emit_updates=emit)
    left, right = app.table("L", key=str, value=int), app.table("R", key=str, value=int)
    view = joined(left, right, kind)
    view.filter(lambda k, v: True, store="rows")
    joined(view, right, "left", store="again")
    view.group_by(lambda k, v: (v, v), key=str, value=str).count(store="counted")
    tables: dict[str, dict[str, int | None]] = {"L": {}, "R": {}}
    with TopologyTestDriver(app) as driver:
        for timestamp, (side, key, value) in enumerate(updates):
            driver.input_topic(side).pipe(value, key=key, timestamp=timestamp)
            tables[side][key] = value
        rows: dict[str, str] = {}
        for key in "ab":
            one, other = tables["L"].get(key), tables["R"].get(key)
            there = {"inner": one is not None and other is not None, "left": one is not None}
            if there.get(kind, one is not None or other is not None):
                rows[key] = f"{one}-{other}"
        assert {key: value for key, (value, _) in driver.rows("rows").items()} == rows
        assert {key: value for key, (value, _) in driver.rows("again").items()} == {
            key: f"{value}-{tables['R'].get(key)}" for key, value in rows.items()
        }
        counts = {value: count for value, (count, _) in driver.rows("counted").items() if count}
        assert counts == {value: list(rows.values()).count(value) for value in rows.values()}


def test_stream_looks_into_a_join_that_has_no_store() -> None:
    app = App("app")
    view = joined(app.table("L", key=str, value=str), app.table("R", key=str, value=str), "outer")
    app.stream("in", key=str, value=str).left_join(view, lambda v, row: f"{v}:{row}").to("out")
    with TopologyTestDriver(app) as driver:
        for topic, value in [("in", "1"), ("R", "r"), ("in", "2"), ("L", "l"), ("in", "3"), ("R", None), ("in", "4")]:
            driver.input_topic(topic).pipe(value, key="k", timestamp=0)
        values = [record.value for record in driver.output_topic("out").read_all()]
    assert values == ["1:None", "2:None-r", "3:l-r", "4:l-None"]


def test_join_of_a_table_with_itself_hears_the_left_side_first() -> None:
    app = App("app")
    table = app.table("L", key=str, value=str)
    joined(table, table, "inner").to_stream().to("out")
    with TopologyTestDriver(app) as driver:
        driver.input_topic("L").pipe("x", key="k", timestamp=0)
        assert [record.value for record in driver.output_topic("out").read_all()] == ["x-x", "x-x"]


def test_join_of_tables_with_other_keys_or_windows_is_refused() -> None:
    app = App("app")
    table, numbers = app.table("L", key=str, value=int), app.table("N", key=int, value=int)
    windows = app.stream("in", key=str).group_by_key().windowed_by(tumbling(timedelta(1), grace=timedelta(0)))
    joined(table, numbers, "inner")
    joined(table, windows.count(), "left")
    with pytest.raises(TopologyError) as caught:
        app.plan()
    messages = " ".join(problem.message for problem in caught.value.problems)
    assert "join needs equal keys on both sides" in messages
    assert "left_join needs tables with one value per key" in messages


def test_join_of_tables_of_two_apps_is_refused() -> None:
    app = App("app")
    joined(app.table("L", key=str, value=int), App("other").table("R", key=str, value=int), "inner")
    with pytest.raises(TopologyError, match="join needs a table of the same App"):
        app.plan()


def test_join_of_tables_with_unequal_partition_counts_is_named_once() -> None:
    app = App("app")
    joined(app.table("L", key=str), app.table("R", key=str), "outer").to_stream().to("out")
    with pytest.raises(TopologyError) as caught:
        app.plan().partitions({"L": 2, "R": 3})
    assert len(caught.value.problems) == 1
