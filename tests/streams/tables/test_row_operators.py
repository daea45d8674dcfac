"""`filter`, `map_values` and `to_stream` of tables: changes, tombstones, stores, lookups through views."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from streams import App, F, TopologyError, count, tumbling
from streams.testing import TopologyTestDriver


class Account(msgspec.Struct):
    owner: str
    balance: int


def changes(app: App, *updates: tuple[str, Any], topic: str = "accounts", out: str = "out") -> list[tuple[Any, Any]]:
    """What comes out for updates of the table, which carry the timestamps 1, 2, …."""
    with TopologyTestDriver(app) as driver:
        for timestamp, (key, value) in enumerate(updates, 1):
            driver.input_topic(topic).pipe(value, key=key, timestamp=timestamp)
        return [(record.key, record.value) for record in driver.output_topic(out).read_all()]


def test_filter_row_that_no_longer_passes_is_deleted() -> None:
    app = App("app")
    app.table("accounts", key=str, value=int).filter(lambda k, v: v > 5).to_stream().to("out")
    assert changes(app, ("a", 9), ("a", 1)) == [("a", 9), ("a", None)]


def test_filter_without_old_values_repeats_tombstones() -> None:
    """As in Kafka Streams: nobody knows what was there before, so a rejected row is deleted each time."""
    app = App("app")
    app.table("accounts", key=str, value=int).filter(lambda k, v: v > 5).to_stream().to("out")
    assert changes(app, ("a", 1), ("a", None)) == [("a", None), ("a", None)]


def test_filter_behind_a_store_tells_only_deletions_of_rows_that_were_there() -> None:
    app = App("app")
    app.table("accounts", key=str, value=int, store="all").filter_not(lambda k, v: v > 5).to_stream().to("out")
    assert changes(app, ("a", 9), ("a", None), ("a", 3), ("a", None)) == [("a", 3), ("a", None)]


def test_filter_and_map_values_with_expressions_are_not_evaluated_for_null() -> None:
    app = App("app")
    accounts = app.table("accounts", key=str, value=Account)
    accounts.filter((F.balance > 5) & (F.key != "x")).map_values(F.balance * 2, value=int).to_stream().to("out")
    updates = [("a", Account("o", 9)), ("x", Account("o", 9)), ("a", None)]
    assert changes(app, *updates) == [("a", 18), ("x", None), ("a", None)]


def test_store_of_an_operator_holds_its_result() -> None:
    app = App("app")
    table = app.table("accounts", key=str, value=int)
    table.filter(lambda k, v: v > 5, store="big").map_values(lambda v: str(v), value=str, store="texts")
    with TopologyTestDriver(app) as driver:
        for timestamp, (key, value) in enumerate([("a", 9), ("b", 7), ("a", 1), ("c", 2)]):
            driver.input_topic("accounts").pipe(value, key=key, timestamp=timestamp)
        assert driver.rows("big") == {"b": (7, 1)}
        assert driver.rows("texts") == {"b": ("7", 1)}


def test_table_nobody_looks_into_keeps_no_store() -> None:
    app = App("app")
    table = app.table("accounts", key=str, value=int)
    table.to_stream().to("out")
    assert table.store_name is None
    assert list(app.plan().stores()) == []


def test_to_stream_with_a_selector_rekeys_deletions_too() -> None:
    app = App("app")
    table = app.table("accounts", key=str, value=int)
    table.to_stream(lambda k, v: f"{k}/{v}", key=str).to("out")
    assert changes(app, ("a", 1), ("a", None)) == [("a/1", 1), ("a/None", None)]


@pytest.mark.parametrize("kept", ["kept", None])
def test_join_looks_through_filters_and_maps_of_a_table(kept: str | None) -> None:
    """A view has the rows its operators make of the table's, whether or not a store holds them."""
    app = App("app")
    table = app.table("accounts", key=str, value=int)
    view = table.map_values(lambda v: None if v == 4 else v * 10, value=int).filter(lambda k, v: v > 20, store=kept)
    stream = app.stream("in", key=str, value=str)
    stream.left_join(view, lambda left, right: f"{left}{right}").to("out")
    with TopologyTestDriver(app) as driver:
        for value in (3, 2, 4, 5):
            driver.input_topic("accounts").pipe(value, key="a", timestamp=0)
            driver.input_topic("in").pipe("x", key="a", timestamp=0)
        assert [r.value for r in driver.output_topic("out").read_all()] == ["x30", "xNone", "xNone", "x50"]


def test_join_with_a_table_of_named_aggregates_gets_what_users_see() -> None:
    """The row holds the aggregate's inner state; the joiner must not see it."""
    app = App("app")
    table = app.stream("clicks", key=str, value=int).group_by_key().aggregate(clicks=count())
    app.stream("in", key=str, value=str).join(table, lambda left, right: f"{left}{right.clicks}").to("out")
    with TopologyTestDriver(app) as driver:
        driver.input_topic("clicks").pipe(1, key="a")
        driver.input_topic("in").pipe("x", key="a")
        assert driver.output_topic("out").read().value == "x1"


def test_stream_join_with_a_windowed_view_is_refused() -> None:
    app = App("app")
    stream = app.stream("in", key=str, value=int)
    windowed = stream.group_by_key().windowed_by(tumbling(timedelta(seconds=1), grace=timedelta(0))).count()
    stream.join(windowed.filter(lambda k, v: v > 1), lambda left, right: left)
    with pytest.raises(TopologyError, match="a windowed table has none"):
        app.plan()
