"""Windowed aggregations against plain statements of their rules, over out-of-order input, with commits, crashes and
moves in the middle; and that results do not depend on where batches end."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams import calendar, hopping, session, sliding, tumbling, unlimited
from tests.streams.windows.interrupted import MS, Event, Record, gathering, inputs, interruptions, shown

FOREVER = 2**63 - 1
Shown = tuple[str, int, int, Any, int]


@st.composite
def time_windows(draw: st.DrawFn) -> Any:
    size = draw(st.integers(1, 25))
    advance = draw(st.integers(max(1, size // 4), size))
    offset = draw(st.integers(0, 30))
    return hopping(size * MS, advance * MS, grace=draw(st.integers(0, 20)) * MS, offset=offset * MS)


def time_oracle(windows: Any, records: list[Record], emit: str) -> tuple[list[Shown], list[int]]:
    """Results in order, and the places of records that no window took."""
    rows: dict[tuple[str, int], tuple[list[int], int]] = {}
    now, closed_before, results, late = -1, -1, list[Shown](), list[int]()
    for place, (key, ts) in enumerate(records):
        now = max(now, ts)
        starts = [
            start
            for start in range(windows.offset_ms, ts + 1, windows.advance_ms)
            if start <= ts < start + windows.size_ms
        ]
        taken = [start for start in starts if start + windows.size_ms > now - windows.grace_ms]
        if starts and not taken:
            late.append(place)
        for start in taken:
            members, time = rows.get((key, start), ([], -1))
            rows[key, start] = [*members, place], max(time, ts)
            if emit == "update":
                results.append((key, start, start + windows.size_ms, *rows[key, start]))
        closed = now - windows.grace_ms
        if emit == "close":
            due = [(s, k) for k, s in rows if closed_before < s + windows.size_ms <= closed]
            results += [(k, s, s + windows.size_ms, *rows[k, s]) for s, k in sorted(due)]
        closed_before = closed
    return results, late


@pytest.mark.parametrize("emit", ["update", "close"])
@settings(max_examples=60, deadline=None)
@given(windows=time_windows(), records=inputs(), events=interruptions())
def test_time_windows_give_what_the_rules_say(
    emit: str, windows: Any, records: list[Record], events: list[Event]
) -> None:
    task = gathering(windows, emit, retention=None, late=True)
    results, late = time_oracle(windows, records, emit)
    assert shown(task.run(records, events)) == results
    assert [result.value for result in task.late()] == late


@settings(max_examples=40, deadline=None)
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
@settings(max_examples=30, deadline=None)
@given(records=inputs(), events=interruptions())
def test_calendar_windows_are_time_windows_with_the_calendars_bounds(
    emit: str, records: list[Record], events: list[Event]
) -> None:
    """Around the night of 2024-03-31, which has 23 hours in Berlin; one step of the input is an hour."""
    began = 1_711_666_800_000  # 2024-03-29T00:00 in Berlin
    bounds = [began, began + DAY, began + 2 * DAY, began + 3 * DAY - 3_600_000]
    bounds += [bounds[-1] + days * DAY for days in range(1, 30)]
    hours = [Record(key, began + ts * 3_600_000) for key, ts in records]
    rows: dict[tuple[str, int], tuple[list[int], int]] = {}
    expected: list[Shown] = []
    now, out = -1, set[tuple[int, str]]()
    for place, (key, ts) in enumerate(hours):
        now = max(now, ts)
        index = max(i for i, bound in enumerate(bounds) if bound <= ts)
        if bounds[index + 1] > now - 6 * 3_600_000:
            members, time = rows.get((key, index), ([], -1))
            rows[key, index] = [*members, place], max(time, ts)
            if emit == "update":
                expected.append((key, bounds[index], bounds[index + 1], *rows[key, index]))
        if emit == "close":
            due = {(i, k) for k, i in rows if bounds[i + 1] <= now - 6 * 3_600_000} - out
            expected += [(k, bounds[i], bounds[i + 1], *rows[k, i]) for i, k in sorted(due)]
            out |= due
    windows = calendar("day", tz="Europe/Berlin", grace=6 * 3_600_000 * MS)
    assert shown(gathering(windows, emit, retention=None).run(hours, events)) == expected


def sliding_windows(difference: int, records: list[Record]) -> dict[tuple[str, int], tuple[list[int], int]]:
    """Every window there is when all records are in: its members' places, and the newest time among them."""
    found: dict[tuple[str, int], tuple[list[int], int]] = {}
    for key in {record.key for record in records}:
        times = [(record.ts, place) for place, record in enumerate(records) if record.key == key]
        starts = {max(ts - difference, 0) for ts, _ in times} | {ts + 1 for ts, _ in times}
        for start in starts:
            members = [(ts, place) for ts, place in times if start <= ts <= start + difference]
            if members:
                found[key, start] = sorted(place for _, place in members), max(members)[0]
    return found


@settings(max_examples=100, deadline=None)
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


@settings(max_examples=100, deadline=None)
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


def merged(gap: int, records: list[Record]) -> dict[tuple[str, int, int], list[int]]:
    """The sessions there are when all records are in."""
    found: dict[tuple[str, int, int], list[int]] = {}
    for key in {record.key for record in records}:
        groups: list[list[tuple[int, int]]] = []
        for ts, place in sorted((record.ts, place) for place, record in enumerate(records) if record.key == key):
            if groups and ts - groups[-1][-1][0] <= gap:
                groups[-1].append((ts, place))
            else:
                groups.append([(ts, place)])
        for group in groups:
            found[key, group[0][0], group[-1][0]] = sorted(place for _, place in group)
    return found


def joined(one: list[int], other: list[int]) -> list[int]:
    one.extend(other)
    return one


@settings(max_examples=100, deadline=None)
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


def session_oracle(gap: int, grace: int, records: list[Record], emit: str) -> list[Shown]:
    """The rules word for word, lateness included, of a store that forgets nothing."""
    rows: dict[str, list[tuple[int, int, list[int]]]] = {"a": [], "b": []}
    out: set[tuple[int, int, str]] = set()
    now, results = -1, list[Shown]()
    for place, (key, ts) in enumerate(records):
        now = max(now, ts)
        taken = sorted(row for row in rows[key] if row[0] <= ts + gap and row[1] >= ts - gap)
        start, end = min([ts, *(row[0] for row in taken)]), max([ts, *(row[1] for row in taken)])
        if end >= now - grace - gap:
            rows[key] = [row for row in rows[key] if row not in taken]
            members = [each for row in taken for each in row[2]] + [place]
            rows[key].append((start, end, members))
            if emit == "update":
                if taken and (start, end) != (ts, ts):
                    results += [(key, row[0], row[1], None, row[1]) for row in taken]
                results.append((key, start, end, members, end))
        if emit == "close":
            due = {(e, s, k) for k in rows for s, e, _ in rows[k] if e < now - grace - gap} - out
            results += [(k, s, e, next(r[2] for r in rows[k] if r[:2] == (s, e)), e) for e, s, k in sorted(due)]
            out |= due
    return results


@pytest.mark.parametrize("emit", ["update", "close"])
@settings(max_examples=100, deadline=None)
@given(gap=st.integers(0, 15), grace=st.integers(0, 20), records=inputs(), events=interruptions())
def test_sessions_give_what_the_rules_say(
    emit: str, gap: int, grace: int, records: list[Record], events: list[Event]
) -> None:
    task = gathering(session(gap * MS, grace=grace * MS), emit, merger=joined)
    assert shown(task.run(records, events)) == session_oracle(gap, grace, records, emit)


@pytest.mark.parametrize("emit", ["update", "close"])
@settings(max_examples=60, deadline=None)
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
