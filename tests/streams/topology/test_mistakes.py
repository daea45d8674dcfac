"""Mistakes in a topology: all told together, each with its line, before anything is built."""

from __future__ import annotations

import functools
import linecache
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from streams import App, F, Processor, TopologyError, count, join_window, tumbling
from streams.testing import TopologyTestDriver


class Order(msgspec.Struct):
    customer: str
    cents: int


def ten_mistakes() -> App:
    """Ten lines, each wrong in its own way, end in `# <n>`: what its message says."""
    app = App("ten")
    orders = app.stream("orders", key=str, value=Order)
    customers = app.table("customers", key=int, value=dict)
    orders.filter(F.cent > 5)  # 1 no field
    orders.map_values(lambda a, b, c: a)  # 2 argument(s)
    orders.to("not a topic!")  # 3 not legal
    orders.join(customers, lambda order, customer: order)  # 4 equal keys
    orders.group_by_key().count(store="twice")
    orders.group_by_key().count(store="twice")  # 5 already a store
    orders.group_by_key().aggregate(lambda: 0)  # 6 an initializer and an aggregator
    orders.group_by_key().aggregate(total="sum")  # 7 a named aggregate  # pyright: ignore
    minute = orders.group_by_key().windowed_by(tumbling(timedelta(minutes=1), grace=timedelta(0)))
    minute.count(retention=timedelta(seconds=1))  # 8 retention
    app.stream("orders", key=str, value=str)  # 9 read twice
    orders.repartition(partitions=0)  # 10 at least one partition
    return app


def assert_told_at_their_lines(told: TopologyError, count: int) -> None:
    """One problem for each of the `count` comments of the function that declared the topology, at its line."""
    problems = told.problems
    first = min(problem.origin.line for problem in problems if problem.origin)
    wanted: list[tuple[int, str]] = []
    for number, line in enumerate(Path(__file__).read_text().splitlines(), 1):
        before, _, comment = line.partition("  # ")
        if number >= first and len(wanted) < count and before.startswith("    ") and comment[:1].isdigit():
            wanted.append((number, comment.split("  #")[0].split(" ", 1)[1]))
    assert [problem.origin.line for problem in problems if problem.origin] == [number for number, _ in wanted]
    assert all(problem.origin and problem.origin.file == __file__ for problem in problems)
    for (number, text), problem in zip(wanted, problems, strict=True):
        assert text in problem.message
        assert f"{__file__}:{number}: {problem.message}" in str(told)


def test_ten_mistakes_are_ten_problems_with_file_and_line(tmp_path: Path) -> None:
    app = ten_mistakes()
    with pytest.raises(TopologyError) as caught:
        app.plan()
    assert_told_at_their_lines(caught.value, 10)
    assert str(caught.value).startswith("the topology has 10 problems:\n")

    with pytest.raises(TopologyError, match="10 problems"):
        TopologyTestDriver(app)
    with pytest.raises(TopologyError, match="10 problems"):
        app.worker(bootstrap_servers="127.0.0.1:1", state_dir=tmp_path / "state")
    assert not (tmp_path / "state").exists()
    assert not [name for name in linecache.cache if name.startswith("<headrace ten/")], "nothing is compiled"


def other_things_than_asked_for() -> App:
    """Lines that end in `# <n>` and what their problem says."""
    app, none = App("others"), timedelta(0)
    stream: Any = app.stream("in", key=str, value=dict)
    table: Any = app.table("rows", key=str, value=dict)
    grouped = stream.group_by_key()
    world: Any = app.global_table("all", key=str, value=dict)
    stream.join("rows", _first)  # 1 got the name 'rows': declare it, as in app.stream('rows', …) or app.table('rows'
    stream.join(grouped, _first)  # 2 got a GroupedStream: make it one with .aggregate(…)
    stream.outer_join(table, _first, windows=join_window(none, none, grace=none))  # 3 a KTable: make it one with .to_st
    table.join(stream, _first)  # 4 join needs a table, got a KStream: make it one with .to_table()
    table.left_join(world, _first)  # 5 left_join needs a table, got a GlobalKTable
    table.join("rows", _first, foreign_key=F.a)  # 6 declare it, as in app.table('rows', …)
    stream.merge(table)  # 7 merge needs a stream, got a KTable: make it one with .to_stream()
    grouped.cogroup(_fold).cogroup(stream, _fold)  # 8 make it one with .group_by_key()
    grouped.windowed_by(timedelta(minutes=1)).count()  # 9 windowed_by needs windows, such as tumbling(
    stream.group_by("city")  # 10 for the field of that name write F.city
    stream.to(table)  # 11 to needs a topic's name
    table.suppress(timedelta(minutes=1))  # 12 until_time_limit(timedelta(…)), got datetime.timedelta
    grouped.count(store=3)  # 13 a store's name is a str, got 3
    app.table(["a", "b"])  # 14 a topic's name is a str, got ['a', 'b']  # pyright: ignore
    stream.repartition(partitions="8")  # 15 at least one partition, a whole number
    stream.deduplicate(within=5)  # 16 a timedelta of at least one millisecond as within=, got 5
    stream.map_values(_slow)  # 17 map_values needs a plain function, and _slow is async: asynchronous ones are for map_
    stream.filter(functools.partial(_slow))  # 18 filter needs a plain function
    stream.process(_Waiting)  # 19 process does not await process(record)
    stream.to("out", partitioner=lambda key: 0)  # 20 to's partitioner calls its function with (topic, key, value, par
    grouped.aggregate(0, _fold)  # 21 aggregate needs a function of (), got 0
    app.stream("new", auto_offset_reset="newest")  # 22 auto_offset_reset is "earliest", "latest", "none" or  # pyright: ignore
    app.table("old", auto_offset_reset=timedelta(-1))  # 23 or a timedelta that is not negative, got
    return app


class _Waiting(Processor[Any, Any, Any, Any]):
    async def process(self, record: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        pass


def _first(left: Any, right: Any) -> Any:
    return left


def _fold(key: Any, value: Any, aggregate: Any) -> Any:
    return aggregate


async def _slow(key: Any, value: Any) -> Any:
    return value


def test_other_things_than_asked_for_are_told_with_what_to_write_instead() -> None:
    app = other_things_than_asked_for()
    with pytest.raises(TopologyError) as caught:
        app.plan()
    assert_told_at_their_lines(caught.value, 23)


def test_type_nobody_can_write_is_told_once_where_it_arises() -> None:
    def opaque(value: int) -> TopologyTestDriver:
        raise AssertionError(value)

    app = App("app")
    stream = app.stream("in", key=str, value=int)
    wrong = stream.map_values(opaque)
    wrong.filter(lambda key, value: True).peek(lambda key, value: None).to("out")
    with pytest.raises(TopologyError) as caught:
        app.plan()
    assert len(caught.value.problems) == 1, str(caught.value)


def test_operators_and_repartitions_of_one_name_are_mistakes() -> None:
    app = App("app")
    stream = app.stream("in", key=str, value=dict)
    stream.filter(F.a, name="mine").to("x", name="mine")
    stream.group_by(F.a, name="by").count(store="one")
    stream.group_by(F.b, name="by").count(store="two")
    with pytest.raises(TopologyError) as caught:
        app.plan()
    first, second = caught.value.problems
    assert "already an operator named 'mine'" in first.message
    assert "repartition topic 'app-by-repartition' is already that of another stream" in second.message


def test_mistake_that_adds_no_operator_is_found_after_an_earlier_plan() -> None:
    app = App("app")
    stream = app.stream("in", key=str, value=dict)
    windowed = stream.group_by_key().windowed_by(tumbling(timedelta(seconds=1), grace=timedelta(0))).count()
    app.plan()
    stream.join(windowed, lambda one, other: one)  # pyright: ignore
    with pytest.raises(TopologyError, match="a windowed table has none"):
        app.plan()


def joined() -> tuple[App, int]:
    app = App("app")
    tables: Any = app.table("customers", key=str, value=dict)
    app.stream("orders", key=str, value=dict).join(tables, lambda order, customer: order).to("out")
    app.stream("visits", key=str, value=dict).join(tables, lambda visit, customer: visit).to("out2")
    return app, joined.__code__.co_firstlineno


def test_unequal_counts_and_missing_topics_are_told_together() -> None:
    app, start = joined()
    with pytest.raises(TopologyError) as caught:
        app.plan().partitions({"customers": 3, "orders": 4})
    missing, unequal = caught.value.problems
    assert missing.message.startswith("source topic 'visits' does not exist: create it")
    assert missing.origin is not None
    assert missing.origin.line == start + 4
    assert "'orders' has 4 and 'customers' has 3" in unequal.message
    assert unequal.origin is not None
    assert unequal.origin.line == start + 3
    with pytest.raises(TopologyError) as caught:
        app.plan().partitions({"customers": 3, "orders": 4, "visits": 5})
    assert len(caught.value.problems) == 2


def test_repartitioned_side_takes_the_count_of_its_partner() -> None:
    app = App("app")
    customers: Any = app.table("customers", key=str, value=dict)
    orders = app.stream("orders", key=str, value=dict)
    orders.select_key(F.customer, key=str).join(customers, lambda order, customer: order).to("out")
    fitted = app.plan().partitions({"customers": 3, "orders": 8})
    assert fitted.counts["app-orders-join-repartition"] == 3

    fixed = App("app")
    customers = fixed.table("customers", key=str, value=dict)
    orders = fixed.stream("orders", key=str, value=dict)
    orders.repartition(partitions=5, name="five").join(customers, lambda order, customer: order).to("out")
    with pytest.raises(TopologyError, match="'app-five-repartition' has 5 and 'customers' has 3"):
        fixed.plan().partitions({"customers": 3, "orders": 8})


def test_named_aggregate_of_a_field_that_is_not_there_is_told() -> None:
    app = App("app")
    orders = app.stream("orders", key=str, value=Order)
    orders.group_by_key().aggregate(n=count(F.cent))
    with pytest.raises(TopologyError, match="Order has no field 'cent'; did you mean 'cents'"):
        app.plan()


def test_repartition_behind_a_table_has_a_topic_of_its_own() -> None:
    """Both are derived from the table's store: one topic for the two would feed itself."""
    app = App("app")
    app.stream("in", key=str, value=str).select_key(F.value).to_table().to_stream().repartition().to("out")
    topics = [source.topic for sub in app.plan().subtopologies for source in sub.sources]
    assert topics == ["in", "app-in-to-table-repartition", "app-in-to-table-through-repartition"]
