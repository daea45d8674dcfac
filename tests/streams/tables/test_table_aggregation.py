"""Aggregates of grouped tables: worked examples, and an oracle that recomputes every group from the table's rows."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import App, F, TopologyError, count, first, max_, mean, sum_, top_k
from streams.testing import TopologyTestDriver
from tests.streams.examples import examples


class Sale(msgspec.Struct):
    region: str | None
    amount: int


updates = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.none() | st.builds(Sale, st.none() | st.sampled_from(["n", "s"]), st.integers(-9, 9)),
    ),
    max_size=25,
)


def groups(table: dict[str, Sale | None]) -> dict[str, list[int]]:
    """Amounts by region of the rows a table has."""
    found: dict[str, list[int]] = {}
    for row in table.values():
        if row is not None and row.region is not None:
            found.setdefault(row.region, []).append(row.amount)
    return found


@examples(30)
@given(updates, st.sampled_from(["all", "commit"]), st.booleans())
def test_aggregates_equal_those_of_the_rows_there_are(
    given_updates: list[tuple[str, Sale | None]], emit: str, named_source: bool
) -> None:
    """After every update: each group's aggregate is that of the table's rows; groups that became empty stay at 0."""
    app = App("app", emit_updates=emit)
    grouped = app.table("sales", key=str, value=Sale, store="sales" if named_source else None).group_by(F.region)
    grouped.aggregate(rows=count(), total=sum_(F.amount), average=mean(F.amount), store="named")
    grouped.count(store="counted")
    grouped.aggregate(
        list,
        lambda k, v, kept: [*kept, v.amount],
        lambda k, v, kept: without(kept, v.amount),
        value=list[int],
        store="listed",
    )
    table: dict[str, Sale | None] = {}
    seen: set[str] = set()
    with TopologyTestDriver(app) as driver:
        for timestamp, (key, value) in enumerate(given_updates):
            driver.input_topic("sales").pipe(value, key=key, timestamp=timestamp)
            table[key] = value
            now = groups(table)
            seen |= now.keys()
            assert {k: v for k, (v, _) in driver.rows("counted").items()} == {r: len(now.get(r, [])) for r in seen}
            assert {k: sorted(v) for k, (v, _) in driver.rows("listed").items()} == {
                r: sorted(now.get(r, [])) for r in seen
            }
            for region, (result, _) in driver.rows("named").items():
                amounts = now.get(region, [])
                assert (result.rows, result.total) == (len(amounts), sum(amounts))
                assert result.average == (pytest.approx(sum(amounts) / len(amounts)) if amounts else None)


def without(values: list[int], value: int) -> list[int]:
    values.remove(value)  # in place, which must not reach what others hold
    return values


def results(app: App, *given_updates: tuple[str | None, Any, int]) -> list[tuple[Any, Any, int]]:
    with TopologyTestDriver(app) as driver:
        for key, value, timestamp in given_updates:
            driver.input_topic("in").pipe(value, key=key, timestamp=timestamp)
        return [(r.key, r.value, r.timestamp) for r in driver.output_topic("out").read_all()]


def test_count_moves_a_row_from_its_old_group_first() -> None:
    """Source: `KTableAggregateTest.testCount`; a group that becomes empty stays, with 0."""
    app = App("app")
    app.table("in", key=str, value=str).group_by(lambda k, v: (v, v), key=str, value=str).count().to_stream().to("out")
    updates = [("A", "green", 10), ("B", "green", 9), ("A", "blue", 12), ("C", "yellow", 15), ("D", "green", 11)]
    assert results(app, *updates) == [
        ("green", 1, 10),
        ("green", 2, 10),
        ("green", 1, 12),
        ("blue", 1, 12),
        ("yellow", 1, 15),
        ("green", 2, 12),
    ]


def test_reduce_begins_with_the_first_value_and_ends_with_none() -> None:
    app = App("app")
    table = app.table("in", key=str, value=int).group_by(lambda k, v: ("all", v), key=str, value=int)
    table.reduce(lambda a, v: a + v, lambda a, v: a - v or None, store="sum").to_stream().to("out")
    updates = [("a", 3, 1), ("b", 4, 5), ("a", 5, 3), ("a", None, 6), ("b", None, 7), ("a", 1, 8)]
    assert results(app, *updates) == [
        ("all", 3, 1),
        ("all", 7, 5),
        ("all", 9, 5),
        ("all", 4, 6),
        ("all", None, 7),
        ("all", 1, 8),
    ]


def test_functions_of_a_grouped_table_get_the_group_key() -> None:
    app = App("app")
    table = app.table("in", key=str, value=str).group_by(lambda k, v: (v[0], v), key=str, value=str)
    table.aggregate(str, lambda k, v, a: f"{a}+{k}{v}", lambda k, v, a: f"{a}-{k}{v}").to_stream().to("out")
    assert results(app, ("1", "xa", 1), ("1", "xb", 2)) == [("x", "+xxa", 1), ("x", "+xxa-xxa+xxb", 2)]


def test_group_by_skips_null_pairs_keys_and_values_on_their_side() -> None:
    app = App("app")

    def pair(key: str, value: int) -> Any:
        return {1: None, 2: (None, 1), 3: ("g", None)}.get(value, ("g", value))

    app.table("in", key=str, value=int).group_by(pair, key=str, value=int).count().to_stream().to("out")
    updates = [("a", value, 0) for value in (1, 2, 3, 10, 1, 2, 3, None)]
    assert results(app, *updates) == [("g", 1, 0), ("g", 0, 0)]


def test_named_aggregates_that_cannot_be_subtracted_are_all_named() -> None:
    app = App("app")
    table = app.table("in", key=str, value=Sale).group_by(F.region)
    table.aggregate(best=max_(F.amount), oldest=first(F.amount), top=top_k(F.amount, k=2), rows=count())
    with pytest.raises(TopologyError) as caught:
        app.plan()
    problems = [problem.message for problem in caught.value.problems]
    assert [problem.split("=")[0] for problem in problems] == ["best", "oldest", "top"]
    assert all("cannot follow a table" in problem and "count, sum_" in problem for problem in problems)
    assert all(problem.origin and problem.origin.file == __file__ for problem in caught.value.problems)


def test_aggregate_of_a_table_without_subtractor_is_refused() -> None:
    app = App("app")
    app.table("in", key=str, value=int).group_by(lambda k, v: (k, v)).aggregate(int, lambda k, v, a: a + v)
    with pytest.raises(TopologyError, match="an initializer, an adder and a subtractor"):
        app.plan()


def test_expression_of_a_named_aggregate_is_checked_against_the_grouped_value() -> None:
    app = App("app")
    app.table("in", key=str, value=Sale).group_by(F.region).aggregate(total=sum_(F.amuont))
    with pytest.raises(TopologyError, match="amuont"):
        app.plan()


def test_repartition_topic_of_a_grouped_table_has_the_name_of_the_group() -> None:
    app = App("app")
    app.table("in", key=str, value=Sale).group_by(F.region, name="regions").count(store="n")
    plan = app.plan()
    assert [sink.topic for sub in plan.subtopologies for sink in sub.repartition_sinks] == ["app-regions-repartition"]
