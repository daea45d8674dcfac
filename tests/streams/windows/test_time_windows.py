"""Tumbling and hopping windows, and windowed keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.windowed import Windowed
from streams.windows import TimeWindows, hopping, tumbling

MS = timedelta(milliseconds=1)
NONE = timedelta(0)


@st.composite
def windows(draw: st.DrawFn) -> TimeWindows:
    size = draw(st.integers(1, 200))
    return hopping(size * MS, draw(st.integers(1, size)) * MS, grace=NONE)


@given(windows(), st.integers(0, 5000))
def test_windows_for_timestamp_are_all_aligned_windows_that_hold_it_oldest_first(w: TimeWindows, ts: int) -> None:
    starts = [start for start in range(0, ts + 1, w.advance_ms) if start <= ts < start + w.size_ms]
    assert list(w.windows_for(ts)) == starts


@given(windows(), st.integers(0, 5000))
def test_windows_for_timestamp_follow_kafkas_formula(w: TimeWindows, ts: int) -> None:
    start = max(0, ts - w.size_ms + w.advance_ms) // w.advance_ms * w.advance_ms
    expected: list[int] = []
    while start <= ts:
        expected.append(start)
        start += w.advance_ms
    assert list(w.windows_for(ts)) == expected


def test_tumbling_window_holds_its_start_but_not_its_end() -> None:
    w = tumbling(timedelta(minutes=1), grace=timedelta(seconds=5))
    assert w == TimeWindows(size_ms=60_000, advance_ms=60_000, grace_ms=5_000)
    assert list(w.windows_for(59_999)) == [0]
    assert list(w.windows_for(60_000)) == [60_000]


def test_hopping_windows_near_zero_never_start_before_it() -> None:
    w = hopping(10 * MS, 4 * MS, grace=NONE)
    assert list(w.windows_for(0)) == [0]
    assert list(w.windows_for(7)) == [0, 4]
    assert list(w.windows_for(13)) == [4, 8, 12]


@pytest.mark.parametrize(
    ("size", "advance", "grace", "message"),
    [
        (NONE, NONE, NONE, "size must be positive"),
        (-MS, MS, NONE, "size must be positive"),
        (MS, NONE, NONE, "advance must be positive and at most size"),
        (MS, 2 * MS, NONE, "advance must be positive and at most size"),
        (MS, MS, -MS, "grace must not be negative"),
        (timedelta(microseconds=1500), MS, NONE, "size must be whole milliseconds"),
        (2 * MS, timedelta(microseconds=1500), NONE, "advance must be whole milliseconds"),
        (MS, MS, timedelta(microseconds=1), "grace must be whole milliseconds"),
        (1000, MS, NONE, "size must be a timedelta, got 1000"),
        (MS, MS, 0, "grace must be a timedelta, got 0"),
    ],
)
def test_hopping_of_impossible_duration_names_the_argument(size: Any, advance: Any, grace: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        hopping(size, advance, grace=grace)


def test_tumbling_without_grace_is_refused() -> None:
    with pytest.raises(TypeError, match="grace"):
        tumbling(MS)  # type: ignore


def test_windowed_is_hashable_ordered_and_immutable() -> None:
    first, second = Windowed("a", 0, 5), Windowed("a", 5, 10)
    assert {first, Windowed("a", 0, 5)} == {first}
    assert sorted([second, first]) == [first, second]
    assert str(first) == "a@0/5"
    with pytest.raises(AttributeError):
        first.start = 1  # type: ignore
