"""Windowed aggregations against plain statements of their rules, over out-of-order input, with commits, crashes and
moves in the middle; and that results do not depend on where batches end."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import calendar, hopping, session, sliding, tumbling, unlimited
from tests.streams.examples import examples
from tests.streams.windows.interrupted import MS, Event, gathering, inputs, interruptions, shown
from tests.streams.windows.oracles import (
    Record,
    Shown,
    bounded_oracle,
    merged,
    session_oracle,
    sliding_windows,
    time_oracle,
)

FOREVER = 2**63 - 1


@st.composite
def time_windows(draw: st.DrawFn) -> Any:
    size = draw(st.integers(1, 25))
    advance = draw(st.integers(max(1, size // 4), size))
    offset = draw(st.integers(0, 30))
    return hopping(size * MS, advance * MS, grace=draw(st.integers(0, 20)) * MS, offset=offset * MS)


@pytest.mark.parametrize("emit", ["update", "close"])
@examples(25)
@given(windows=time_windows(), records=inputs(), events=interruptions())
def test_time_windows_give_what_the_rules_say(
    emit: str, windows: Any, records: list[Record], events: list[Event]
) -> None:
    task = gathering(windows, emit, retention=None, late=True)
    results, late = time_oracle(windows, records, emit)
    assert shown(task.run(records, events)) == results
    assert [result.value for result in task.late()] == late


@examples(25)
@given(records=inputs(), events=interruptions(), start=st.integers(0, 40))
def test_unlimited_windows_take_everything_from_their_start_on(
    records: list[Record], events: list[Event], start: int
) -> None:
    members: dict[str, list[int]] = defaultdict(list)
    newest: dict[str, int] = defaultdict(int)
    expected: list[Shown] = []
    for place, (key, ts) in enumerate(records):
        if ts >= start:
            members[key].append(place)
            newest[key] = max(newest[key], ts)
            expected.append((key, start, FOREVER, list(members[key]), newest[key]))
    assert shown(gathering(unlimited(start=start)).run(records, events)) == expected


DAY = 86_400_000


@pytest.mark.parametrize("emit", ["update", "close"])
@examples(25)
@given(records=inputs(), events=interruptions())
def test_calendar_windows_are_time_windows_with_the_calendars_bounds(
    emit: str, records: list[Record], events: list[Event]
) -> None:
    """Around the night of 2024-03-31, which has 23 hours in Berlin; one step of the input is an hour."""
    began = 1_711_666_800_000  # 2024-03-29T00:00 in Berlin
    bounds = [began, began + DAY, began + 2 * DAY, began + 3 * DAY - 3_600_000]
    bounds += [bounds[-1] + days * DAY for days in range(1, 30)]
    hours = [Record(key, began + ts * 3_600_000) for key, ts in records]
    windows = calendar("day", tz="Europe/Berlin", grace=6 * 3_600_000 * MS)
    expected = bounded_oracle(bounds, 6 * 3_600_000, hours, emit)
    assert shown(gathering(windows, emit, retention=None).run(hours, events)) == expected


@examples(40)
@given(difference=st.integers(0, 25), records=inputs(), events=interruptions())
def test_sliding_windows_end_as_the_definition_says_in_whatever_order_records_come(
    difference: int, records: list[Record], events: list[Event]
) -> None:
    task = gathering(sliding(difference * MS, grace=10_000 * MS))
    last: dict[tuple[str, int], tuple[list[int], int]] = {}
    for key, start, end, members, ts in shown(task.run(records, events)):
        assert end == start + difference
        last[key, start] = sorted(members), ts
    assert last == sliding_windows(difference, records)


@examples(40)
@given(difference=st.integers(0, 25), grace=st.integers(0, 30), records=inputs(spread=0), events=interruptions())
def test_sliding_windows_come_out_once_when_they_close(
    difference: int, grace: int, records: list[Record], events: list[Event]
) -> None:
    """Of input in order: all that ended before the clock less the grace, by end, then key."""
    task = gathering(sliding(difference * MS, grace=grace * MS), "close")
    now = max(record.ts for record in records)
    windows = sliding_windows(difference, records)
    due = sorted((start, key) for key, start in windows if start + difference < now - grace)
    assert [(k, s, sorted(m), ts) for k, s, _, m, ts in shown(task.run(records, events))] == [
        (key, start, *windows[key, start]) for start, key in due
    ]


def joined(one: list[int], other: list[int]) -> list[int]:
    one.extend(other)
    return one


@examples(40)
@given(gap=st.integers(0, 15), records=inputs(), events=interruptions())
def test_sessions_end_as_the_definition_says_in_whatever_order_records_come(
    gap: int, records: list[Record], events: list[Event]
) -> None:
    task = gathering(session(gap * MS, grace=10_000 * MS), merger=joined)
    standing: dict[tuple[str, int, int], list[int]] = {}
    for key, start, end, members, ts in shown(task.run(records, events)):
        assert ts == end
        if members is None:
            del standing[key, start, end]  # fails if there was none
        else:
            standing[key, start, end] = sorted(members)
    assert standing == merged(gap, records)


@pytest.mark.parametrize("emit", ["update", "close"])
@examples(40)
@given(gap=st.integers(0, 15), grace=st.integers(0, 20), records=inputs(), events=interruptions())
def test_sessions_give_what_the_rules_say(
    emit: str, gap: int, grace: int, records: list[Record], events: list[Event]
) -> None:
    task = gathering(session(gap * MS, grace=grace * MS), emit, merger=joined)
    assert shown(task.run(records, events)) == session_oracle(gap, grace, records, emit)


@pytest.mark.parametrize("emit", ["update", "close"])
@examples(25)
@given(length=st.integers(0, 15), grace=st.integers(0, 10), records=inputs(), events=interruptions())
def test_results_do_not_depend_on_where_batches_end_and_tasks_restart(
    emit: str, length: int, grace: int, records: list[Record], events: list[Event]
) -> None:
    """With the least retention, too, where what a late record finds depends on what the store has forgotten."""
    one_by_one: list[Event] = ["commit"] * len(records)
    for windows, merger in [
        (sliding(length * MS, grace=grace * MS), None),
        (session(length * MS, grace=grace * MS), joined),
    ]:
        whole = gathering(windows, emit, retention=None, merger=merger).run(records, one_by_one)
        torn = gathering(windows, emit, retention=None, merger=merger).run(records, events)
        assert shown(torn) == shown(whole)


def test_tumbling_is_hopping_by_its_size() -> None:
    records = [Record("a", ts) for ts in (3, 9, 10, 4, 25, 12, 31)]
    one = gathering(tumbling(10 * MS, grace=4 * MS)).run(records)
    assert one == gathering(hopping(10 * MS, 10 * MS, grace=4 * MS)).run(records)
    assert [(start, members) for _, start, _, members, _ in shown(one)] == [
        (0, [0]), (0, [0, 1]), (10, [2]), (0, [0, 1, 3]), (20, [4]), (30, [6])
    ]  # fmt: skip
