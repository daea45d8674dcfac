"""Aggregations of grouped tables in `TopologyTestDriver` against their rules, with crashes and lost state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import App, F, Json, KTable, count, sum_
from streams.testing import TopologyTestDriver
from tests.streams.examples import examples
from tests.streams.tables.oracle import Aggregate, Update, table_oracle

Interruption = Literal["nothing", "commit", "restart", "lose"]

groups = st.none() | st.sampled_from("gh")
values = st.none() | st.tuples(groups, st.none() | st.integers(0, 9))
keys = st.none() | st.sampled_from("abc")
updates = st.lists(st.builds(Update, keys, values, st.integers(0, 40)), min_size=1, max_size=25)
interruptions = st.lists(
    st.sampled_from(["nothing", "nothing", "nothing", "commit", "restart", "lose"]), min_size=25, max_size=25
)


def put_in(key: str, value: int, aggregate: list[int]) -> list[int]:
    aggregate.append(value)
    return aggregate


def take_out(key: str, value: int, aggregate: list[int]) -> list[int] | None:
    aggregate.remove(value)
    return aggregate or None


def put_into(aggregate: list[Any], value: list[Any]) -> list[Any]:
    aggregate.extend(value)
    return aggregate


def take_from(aggregate: list[Any], value: list[Any]) -> list[Any] | None:
    for each in value:
        aggregate.remove(each)
    return aggregate or None


def traced(grouped: Any) -> KTable[str, Any]:
    """In the text of the aggregate stands what was done, in order."""
    return grouped.aggregate(str, lambda k, v, a: f"{a}+{k}{v}", lambda k, v, a: f"{a}-{k}{v}", value=str)


def listed(grouped: Any) -> KTable[str, Any]:
    """Changes its aggregates in place; a group without rows is deleted."""
    return grouped.aggregate(list, put_in, take_out, value=Json())


def named(grouped: Any) -> KTable[str, Any]:
    table = grouped.aggregate(rows=count(), total=sum_(F.value))
    return table.map_values(lambda v: [v.rows, v.total], value=Json())


LISTS = Aggregate(lambda k, v: [v], lambda k, v, a: [*a, v], lambda k, v, a: without(a, v) or None)
WAYS: dict[str, tuple[Callable[[Any], KTable[str, Any]], Aggregate]] = {
    "traced": (
        traced,
        Aggregate(lambda k, v: f"+{k}{v}", lambda k, v, a: f"{a}+{k}{v}", lambda k, v, a: f"{a}-{k}{v}"),
    ),
    "listed": (listed, LISTS),
    "named": (
        named,
        Aggregate(lambda k, v: [1, v], lambda k, v, a: [a[0] + 1, a[1] + v], lambda k, v, a: [a[0] - 1, a[1] - v]),
    ),
    "counted": (
        lambda grouped: grouped.count(),
        Aggregate(lambda k, v: 1, lambda k, v, a: a + 1, lambda k, v, a: a - 1),
    ),
    "reduced": (
        lambda grouped: grouped.reduce(lambda a, v: a + v, lambda a, v: a - v),
        Aggregate(lambda k, v: v, lambda k, v, a: a + v, lambda k, v, a: a - v),
    ),
}


def without(values: list[int], value: int) -> list[int]:
    at = values.index(value)
    return values[:at] + values[at + 1 :]


def driven(
    app: App, given_updates: list[Update], events: list[Interruption], stores: Any = "memory"
) -> list[tuple[Any, Any, int]]:
    with TopologyTestDriver(app, stores=stores, commit="manual") as driver:
        for place, (key, value, ts) in enumerate(given_updates):
            driver.input_topic("in").pipe(value, key=key, timestamp=ts)
            match events[place]:
                case "commit":
                    driver.commit()
                case "restart" | "lose" as event:
                    driver.restart(lose_state=event == "lose")
                case "nothing":
                    pass
        return [(r.key, r.value, r.timestamp) for r in driver.output_topic("out").read_all()]


def grouped_table() -> tuple[App, Any]:
    """The table of `in`, by the groups in its values."""
    app = App("app")
    return app, app.table("in", key=str, value=Json()).group_by(lambda k, v: (v[0], v[1]), key=str, value=int)


@pytest.mark.parametrize("way", WAYS)
@examples(25)
@given(given_updates=updates, events=interruptions)
def test_driver_gives_of_a_grouped_table_what_the_rules_say(
    way: str, given_updates: list[Update], events: list[Interruption]
) -> None:
    app, grouped = grouped_table()
    aggregate, how = WAYS[way]
    aggregate(grouped).to_stream().to("out")
    assert driven(app, given_updates, events) == table_oracle(given_updates, how)


@examples(25)
@given(given_updates=updates, events=interruptions)
def test_driver_gives_of_lists_reduced_in_place_what_the_rules_say(
    given_updates: list[Update], events: list[Interruption]
) -> None:
    """Two reducers begin with the same value, and a table of what each change replaced is behind one of them."""
    app = App("app")
    rows = app.table("in", key=str, value=Json())
    pairs = rows.group_by(lambda k, v: None if v[1] is None else (v[0], [v[1]]), key=str, value=Json(), name="g")
    pairs.reduce(put_into, take_from, store="one")
    lists = pairs.reduce(put_into, take_from, store="other")
    lists.to_stream().to("out")
    sizes = lists.group_by(lambda k, v: ("sizes", len(v)), key=str, value=int)
    sizes.aggregate(list, put_in, take_out, value=Json(), store="sizes")
    expected = table_oracle(given_updates, LISTS)
    with_state = driven(app, given_updates, events)
    assert with_state == expected


@examples(25)
@given(given_updates=updates, events=interruptions)
def test_aggregate_of_aggregates_follows_their_changes(given_updates: list[Update], events: list[Interruption]) -> None:
    """The rules once more, over what they gave: how many groups there are of each size."""
    app, grouped = grouped_table()
    sizes = listed(grouped).group_by(lambda k, v: (str(len(v)), 1), key=str, value=int)
    sizes.count().to_stream().to("out")
    changes = [
        Update(group, None if aggregate is None else (str(len(aggregate)), 1), ts)
        for group, aggregate, ts in table_oracle(given_updates, LISTS)
    ]
    assert driven(app, given_updates, events) == table_oracle(changes, WAYS["counted"][1])
