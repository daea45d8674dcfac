"""Old values survive aggregators that change their aggregate in place, and cost nothing where nobody needs them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from streams import App, F, until_time_limit
from streams.testing import TopologyTestDriver


def collect_in_place(key: str, value: int, kept: list[int]) -> list[int]:
    kept.append(value)
    return kept


def piped(app: App, *values: int, rows_of: str | None = None) -> tuple[list[tuple[Any, Any]], dict[Any, Any]]:
    with TopologyTestDriver(app) as driver:
        for value in values:
            driver.input_topic("in").pipe(value, key="k", timestamp=0)
        out = [(record.key, record.value) for record in driver.output_topic("out").read_all()]
        return out, driver.rows(rows_of) if rows_of else {}


def test_aggregate_changed_in_place_is_subtracted_as_it_was() -> None:
    """Lists grouped by their length: each update leaves the group of the list before."""
    app = App("app")
    lists = app.stream("in", key=str, value=int).group_by_key().aggregate(list, collect_in_place, value=list[int])
    lists.group_by(lambda k, v: (str(len(v)), len(v)), key=str, value=int).count().to_stream().to("out")
    # the first update's old value is the empty list of the initializer, which no group has yet: None comes out for it
    assert piped(app, 7, 8)[0] == [("0", None), ("1", 1), ("1", 0), ("2", 1)]


def test_aggregate_changed_in_place_leaves_rows_of_other_stores_alone() -> None:
    """A table downstream keeps what it was given, not what the aggregator made of it later."""
    app = App("app")
    lists = app.stream("in", key=str, value=int).group_by_key().aggregate(list, collect_in_place, value=list[int])
    lists.to_stream().filter(lambda k, v: len(v) < 3).to_table(store="short")
    lists.to_stream().to("out")
    out, rows = piped(app, 1, 2, 3, rows_of="short")
    assert rows == {"k": ([1, 2], 0)}
    assert out[-1] == ("k", [1, 2, 3])


def test_stored_view_of_an_aggregate_changed_in_place_tells_true_old_values() -> None:
    app = App("app")
    lists = app.stream("in", key=str, value=int).group_by_key().aggregate(list, collect_in_place, value=list[int])
    view = lists.filter(lambda k, v: v[-1] != 0, store="view")
    view.group_by(lambda k, v: ("all", len(v)), key=str, value=int).reduce(
        lambda a, v: a + v, lambda a, v: a - v
    ).to_stream().to("out")
    assert [value for _, value in piped(app, 5, 6, 0, 7)[0]] == [1, 2, 0, 4]


def test_generated_code_without_need_looks_up_and_copies_nothing() -> None:
    app = App("app")
    app.stream("in", key=str, value=int).group_by_key().aggregate(list, collect_in_place).to_stream().to("out")
    app.table("t", key=str, value=int, store="kept").to_stream().to("out")
    sources = "".join(sub.program.source for sub in app.plan().subtopologies)
    assert sources.count("immutable") == sources.count("if may_skip and type(aggregate) not in immutable") == 1
    assert "old =" not in sources
    assert "table_rows_load(" not in sources


def test_generated_code_for_an_aggregate_that_cannot_change_copies_nothing() -> None:
    """A frozen struct is told as an old value as it is; one that is not frozen is copied for the reducer."""

    def source_of(kind: type[msgspec.Struct]) -> str:
        app = App("app")
        best = app.stream("in", key=str, value=kind).group_by_key().reduce(lambda a, b: b if b.price > a.price else a)
        best.group_by(F.price).count().to_stream().to("out")
        return app.plan().subtopologies[0].program.source

    frozen = msgspec.defstruct("Offer", [("price", int)], frozen=True)
    thawed = msgspec.defstruct("Offer", [("price", int)])
    assert "deserialize_Json_Offer(serialize_Json_Offer(" in source_of(thawed)
    assert "deserialize_Json_Offer(serialize_Json_Offer(" not in source_of(frozen)


def test_stored_filter_before_suppress_leaves_out_rows_that_were_not_there() -> None:
    app = App("app")
    table = app.table("in", key=str, value=int).filter(lambda k, v: v > 1, store="kept")
    table.suppress(until_time_limit(timedelta())).to_stream().to("out")
    assert piped(app, 1, 2, 1, 1)[0] == [("k", 2), ("k", None)]
