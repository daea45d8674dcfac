"""Calendar windows: bounds at local midnight, through every change of clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams import Integer, calendar
from streams.serde import windowed_serde_ending
from streams.windowed import Windowed

NONE = timedelta(0)
HOUR = 3_600_000
ZONES = (
    "UTC", "Europe/Berlin", "Europe/London", "America/New_York", "America/Sao_Paulo", "America/Havana", "Asia/Beirut",
    "Africa/Cairo", "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Kwajalein", "Asia/Kathmandu",
)  # fmt: skip
UNITS = ("day", "week", "month", "quarter", "year")


def ms(*when: int, tz: str = "UTC") -> int:
    return int(datetime(*when, tzinfo=ZoneInfo(tz)).timestamp() * 1000)  # type: ignore[arg-type]


@settings(max_examples=200, deadline=None)
@given(tz=st.sampled_from(ZONES), unit=st.sampled_from(UNITS), ts=st.integers(0, 2_200_000_000_000))
def test_calendar_windows_follow_each_other_without_gap(tz: str, unit: Any, ts: int) -> None:
    windows = calendar(unit, tz=tz, grace=NONE)
    start, end = windows.window_at(ts)
    assert start <= ts < end <= start + windows.longest_ms
    assert windows.window_at(start) == windows.window_at(end - 1) == (start, end)
    assert windows.window_at(end)[0] == end
    assert windows.end_of(start) == windows.next_end(ts) == end
    assert list(windows.windows_for(ts)) == [start]


@settings(max_examples=200, deadline=None)
@given(tz=st.sampled_from(ZONES), ts=st.integers(DAYS := 2 * 86_400_000, 2_200_000_000_000))
def test_calendar_day_begins_at_the_first_moment_of_its_date(tz: str, ts: int) -> None:
    start, end = calendar("day", tz=tz, grace=NONE).window_at(ts)
    zone = ZoneInfo(tz)

    def date(moment: int) -> Any:
        return datetime.fromtimestamp(moment / 1000, UTC).astimezone(zone).date()

    assert date(start - 1) < date(start)
    assert date(start) <= date(ts) <= date(end - 1) < date(end)


def test_calendar_day_is_23_or_25_hours_where_clocks_change() -> None:
    days = calendar("day", tz="Europe/Berlin", grace=NONE)
    for day, hours in [((2024, 3, 31), 23), ((2024, 10, 27), 25), ((2024, 7, 1), 24)]:
        start, end = days.window_at(ms(*day, 12, tz="Europe/Berlin"))
        assert start == ms(*day, tz="Europe/Berlin")
        assert end - start == hours * HOUR


def test_calendar_day_without_midnight_begins_where_clocks_jump_to() -> None:
    """In São Paulo 2018-11-04 began at one o'clock."""
    start, end = calendar("day", tz="America/Sao_Paulo", grace=NONE).window_at(ms(2018, 11, 4, 15))
    assert start == ms(2018, 11, 4, 3)
    assert end - start == 23 * HOUR


def test_calendar_date_that_was_skipped_has_no_window() -> None:
    """Samoa went from 2011-12-29 to 2011-12-31."""
    days = calendar("day", tz="Pacific/Apia", grace=NONE)
    thursday = days.window_at(ms(2011, 12, 29, 12, tz="Pacific/Apia"))
    saturday = days.window_at(ms(2011, 12, 31, 12, tz="Pacific/Apia"))
    assert thursday[1] == saturday[0]


@pytest.mark.parametrize(
    ("unit", "start", "end"),
    [
        ("week", (2024, 2, 26), (2024, 3, 4)),
        ("month", (2024, 2, 1), (2024, 3, 1)),
        ("quarter", (2024, 1, 1), (2024, 4, 1)),
        ("year", (2024, 1, 1), (2025, 1, 1)),
    ],
)
def test_calendar_units_begin_where_people_begin_them(unit: Any, start: Any, end: Any) -> None:
    windows = calendar(unit, tz="UTC", grace=NONE)
    assert windows.window_at(ms(2024, 2, 29, 23, 59)) == (ms(*start), ms(*end))


def test_calendar_first_window_is_cut_off_at_the_epoch() -> None:
    assert calendar("year", tz="America/New_York", grace=NONE).window_at(0) == (0, 5 * HOUR)


@settings(max_examples=100, deadline=None)
@given(tz=st.sampled_from(ZONES), after=st.integers(-1, 10**12), length=st.integers(0, 10**9))
def test_calendar_starts_of_ends_hold_just_the_windows_that_ended(tz: str, after: int, length: int) -> None:
    windows = calendar("day", tz=tz, grace=NONE)
    first, last = windows.starts_of_ends(after, after + length)
    at = max(after - 5 * 86_400_000, 0)
    while at <= after + length + 86_400_000:
        start, end = windows.window_at(at)
        assert (first <= start <= last) == (after < end <= after + length)
        at = end


def test_calendar_keys_carry_their_own_end() -> None:
    days = calendar("day", tz="Europe/Berlin", grace=NONE)
    serde = windowed_serde_ending(Integer(), days.end_of, days.form)
    start = ms(2024, 3, 31, tz="Europe/Berlin")
    key = Windowed(7, start, start + 23 * HOUR)
    assert serde.deserialize(serde.serialize(key)) == key


@pytest.mark.parametrize(
    ("unit", "tz", "message"),
    [("hour", "UTC", "no calendar windows of 'hour'; there are day, week"), ("day", "Europe/Bärlin", "no time zone")],
)
def test_calendar_of_unknown_unit_or_zone_is_refused(unit: Any, tz: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        calendar(unit, tz=tz, grace=NONE)
