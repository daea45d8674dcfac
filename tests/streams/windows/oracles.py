"""What windowed aggregations give, stated from their rules alone: by going through all there is, again and again.

Aggregates are the lists of their records' places among all inputs, so that results tell which records are in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple


class Record(NamedTuple):
    """One input; its value is its place among all inputs."""

    key: str
    ts: int


Shown = tuple[str, int, int, Any, int]
"""Key, start, end, the places of the records in it, timestamp."""


def time_oracle(windows: Any, records: Sequence[Record], emit: str) -> tuple[list[Shown], list[int]]:
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


def bounded_oracle(bounds: Sequence[int], grace: int, records: Sequence[Record], emit: str) -> list[Shown]:
    """Results in order, of windows that follow one another at `bounds`."""
    rows: dict[tuple[str, int], tuple[list[int], int]] = {}
    results, now, out = list[Shown](), -1, set[tuple[int, str]]()
    for place, (key, ts) in enumerate(records):
        now = max(now, ts)
        index = max(i for i, bound in enumerate(bounds) if bound <= ts)
        if bounds[index + 1] > now - grace:
            members, time = rows.get((key, index), ([], -1))
            rows[key, index] = [*members, place], max(time, ts)
            if emit == "update":
                results.append((key, bounds[index], bounds[index + 1], *rows[key, index]))
        if emit == "close":
            due = {(i, k) for k, i in rows if bounds[i + 1] <= now - grace} - out
            results += [(k, bounds[i], bounds[i + 1], *rows[k, i]) for i, k in sorted(due)]
            out |= due
    return results


def sliding_bounds(
    difference: int, grace: int, records: Sequence[Record]
) -> dict[tuple[str, int], tuple[set[int], set[int]]]:
    """By key and start of every window there may be: the places that must be in it, those of records that were no later
    than the grace, for which each of their windows was open; and those that may be in it."""
    newest, in_time = -1, set[int]()
    for place, record in enumerate(records):
        newest = max(newest, record.ts)
        if record.ts >= newest - grace:
            in_time.add(place)
    return {
        window: (in_time & set(members), set(members))
        for window, (members, _) in sliding_windows(difference, records).items()
    }


def sliding_windows(difference: int, records: Sequence[Record]) -> dict[tuple[str, int], tuple[list[int], int]]:
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


def merged(gap: int, records: Sequence[Record]) -> dict[tuple[str, int, int], list[int]]:
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


def session_oracle(
    gap: int, grace: int, records: Sequence[Record], emit: str, *, retention: int = 10**9
) -> list[Shown]:
    """The rules word for word, lateness included. `retention`: sessions that ended so long before the newest one ended
    are not found any more."""
    rows: dict[str, list[tuple[int, int, list[int]]]] = {"a": [], "b": []}
    out: set[tuple[int, int, str]] = set()
    now, newest_end, results = -1, -1, list[Shown]()
    for place, (key, ts) in enumerate(records):
        now = max(now, ts)
        found = [row for row in rows[key] if row[1] > newest_end - retention]
        taken = sorted(row for row in found if row[0] <= ts + gap and row[1] >= ts - gap)
        start, end = min([ts, *(row[0] for row in taken)]), max([ts, *(row[1] for row in taken)])
        if end >= now - grace - gap:
            rows[key] = [row for row in rows[key] if row not in taken and row[:2] != (start, end)]
            members = [each for row in taken for each in row[2]] + [place]
            rows[key].append((start, end, members))
            newest_end = max(newest_end, end)
            if emit == "update":
                if taken and (start, end) != (ts, ts):
                    results += [(key, row[0], row[1], None, row[1]) for row in taken]
                results.append((key, start, end, members, end))
        if emit == "close":
            due = {(e, s, k) for k in rows for s, e, _ in rows[k] if e < now - grace - gap} - out
            results += [(k, s, e, next(r[2] for r in rows[k] if r[:2] == (s, e)), e) for e, s, k in sorted(due)]
            out |= due
    return results
