"""Windowed tables as inputs of table operators: every change tells the value it replaces, whatever the windows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import App, KTable, Windowed, count, hopping, session, sliding, sum_, tumbling
from streams.dsl.grouped import GroupedStream
from streams.testing import TopologyTestDriver
from tests.streams.examples import examples

LONG = timedelta(seconds=10)


def ms(milliseconds: int) -> timedelta:
    return timedelta(milliseconds=milliseconds)


def append(key: str, value: Any, kept: list[int]) -> list[int]:
    kept.append(value)  # in place
    return kept


WINDOWS: dict[str, Callable[[GroupedStream[str, int]], KTable[Windowed[str], list[int]]]] = {
    "tumbling": lambda g: g.windowed_by(tumbling(ms(5), grace=LONG)).aggregate(
        list, append, value=list[int], store="windows"
    ),
    "hopping": lambda g: g.windowed_by(hopping(ms(6), ms(2), grace=LONG)).aggregate(
        list, append, value=list[int], store="windows"
    ),
    "sliding": lambda g: g.windowed_by(sliding(ms(4), grace=LONG)).aggregate(
        list, append, value=list[int], store="windows"
    ),
    "session": lambda g: g.windowed_by(session(ms(2), grace=LONG)).aggregate(
        list, append, merger=lambda a, b: [*a, *b], value=list[int], store="windows"
    ),
    "cogroup": lambda g: (
        g.cogroup(append)
        .cogroup(g, append)
        .windowed_by(session(ms(2), grace=LONG))
        .aggregate(list, lambda a, b: [*a, *b], value=list[int], store="windows")
    ),
}

records = st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 9), st.integers(0, 30)), max_size=15)


@pytest.mark.parametrize("emit", ["all", "commit"])
@pytest.mark.parametrize("kind", WINDOWS)
@examples(15)
@given(given_records=records)
def test_regrouped_windows_equal_the_rows_of_the_window_store(
    kind: str, emit: str, given_records: list[tuple[str, int, int]]
) -> None:
    """The sum over all windows of a key, kept by adding and subtracting changes of aggregates changed in place."""
    app = App("app", emit_updates=emit)
    table = WINDOWS[kind](app.stream("in", key=str, value=int).group_by_key())
    grouped = table.filter(lambda k, v: len(v) < 4).group_by(lambda k, v: (k.key, sum(v)), key=str, value=int)
    grouped.reduce(lambda a, v: a + v, lambda a, v: a - v, store="sums")
    with TopologyTestDriver(app) as driver:
        for key, value, timestamp in given_records:
            driver.input_topic("in").pipe(value, key=key, timestamp=timestamp)
            expected = {"a": 0, "b": 0}
            for place, (kept, _) in driver.rows("windows").items():
                expected[place[0]] += sum(kept) if len(kept) < 4 else 0
            sums = {key: total for key, (total, _) in driver.rows("sums").items()}
            assert {key: sums.get(key, 0) for key in "ab"} == expected


@pytest.mark.parametrize("emit", ["all", "commit"])
def test_regrouped_sessions_of_named_aggregates_follow_merges(emit: str) -> None:
    app = App("app", emit_updates=emit)
    sessions = app.stream("in", key=str, value=int).group_by_key().windowed_by(session(ms(3), grace=LONG))
    table = sessions.aggregate(n=count())
    table.group_by(lambda k, v: (k.key, v.n), key=str, value=int).aggregate(
        rows=count(), total=sum_(lambda v: v), store="sums"
    )
    with TopologyTestDriver(app) as driver:
        seen: list[tuple[int, int]] = []
        for timestamp in (0, 10, 2, 2, 6, 5):
            driver.input_topic("in").pipe(1, key="k", timestamp=timestamp)
            ((result, _),) = driver.rows("sums").values()
            seen.append((result.rows, result.total))
    assert seen == [(1, 1), (2, 2), (2, 3), (2, 4), (3, 5), (2, 6)]


def test_final_results_of_windows_replace_nothing() -> None:
    app = App("app")
    windows = (
        app.stream("in", key=str, value=int).group_by_key().windowed_by(tumbling(ms(5), grace=ms(0)), emit="close")
    )
    table = windows.count()
    table.group_by(lambda k, v: (k.key, v), key=str, value=int).count(store="closed")
    with TopologyTestDriver(app) as driver:
        for timestamp in (1, 2, 6, 20):
            driver.input_topic("in").pipe(1, key="k", timestamp=timestamp)
        assert driver.rows("closed") == {"k": (2, 6)}
