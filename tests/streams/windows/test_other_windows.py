"""Offsets, unlimited, sliding and session windows as declared; and what the aligned ones say of their ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import App, hopping, session, sliding, tumbling, unlimited, until_time_limit
from streams.testing import TopologyTestDriver
from streams.windows import SessionWindows, SlidingWindows, TimeWindows

MS = timedelta(milliseconds=1)
NONE = timedelta(0)


@st.composite
def windows(draw: st.DrawFn) -> TimeWindows:
    size = draw(st.integers(1, 100))
    advance = draw(st.integers(1, size))
    return hopping(size * MS, advance * MS, grace=NONE, offset=draw(st.integers(-300, 300)) * MS)


@given(windows(), st.integers(0, 2000))
def test_offset_windows_begin_at_the_offset_and_never_before_the_epoch(w: TimeWindows, ts: int) -> None:
    starts = [s for s in range(ts + 1) if (s - w.offset_ms) % w.advance_ms == 0 and s <= ts < s + w.size_ms]
    assert list(w.windows_for(ts)) == starts


@given(windows(), st.integers(-1, 500), st.integers(0, 300))
def test_ends_of_time_windows_are_told_exactly(w: TimeWindows, after: int, length: int) -> None:
    starts = range(w.offset_ms, 3000, w.advance_ms)
    assert w.next_end(after) == min(s + w.size_ms for s in starts if s + w.size_ms > after)
    first, last = w.starts_of_ends(after, after + length)
    assert [s for s in starts if first <= s <= last] == [s for s in starts if after < s + w.size_ms <= after + length]


def test_negative_offset_counts_back() -> None:
    day = timedelta(days=1)
    assert tumbling(day, grace=NONE, offset=-timedelta(hours=6)) == tumbling(
        day, grace=NONE, offset=timedelta(hours=18)
    )


def test_unlimited_begins_at_a_datetime_or_at_ms() -> None:
    assert unlimited(start=datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)) == unlimited(start=1500)
    assert unlimited().windows_for(0) == (0,)


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (-1, "before the epoch"),
        (datetime(2024, 1, 1), "needs a time zone"),
        (datetime(2024, 1, 1, 0, 0, 0, 1, tzinfo=UTC), "whole milliseconds"),
    ],
)
def test_unlimited_from_an_impossible_start_is_refused(start: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        unlimited(start=start)


def test_sliding_and_session_take_durations() -> None:
    assert sliding(NONE, grace=2 * MS) == SlidingWindows(difference_ms=0, grace_ms=2)
    assert session(5 * MS, grace=NONE) == SessionWindows(gap_ms=5, grace_ms=0)
    with pytest.raises(ValueError, match="difference must not be negative"):
        sliding(-MS, grace=NONE)
    with pytest.raises(ValueError, match="gap must not be negative"):
        session(-MS, grace=NONE)
    with pytest.raises(ValueError, match="grace must not be negative"):
        session(MS, grace=-MS)


def test_sliding_windows_take_what_a_suppressed_table_lets_out() -> None:
    """Its values are not decoded when they come, and tombstones are among them."""
    app = App("app")
    table = app.table("in", key=str, value=int).suppress(until_time_limit(0 * MS))
    table.to_stream().group_by_key().windowed_by(sliding(2 * MS, grace=0 * MS)).count().to_stream().to("out")
    with TopologyTestDriver(app) as driver:
        for value, ts in [(1, 5), (None, 6), (2, 7)]:
            driver.input_topic("in").pipe(value, key="k", timestamp=ts)
        found = [(r.key.start, r.value) for r in driver.output_topic("out").read_all()]
    assert found == [(3, 1), (6, 1), (5, 2)]
