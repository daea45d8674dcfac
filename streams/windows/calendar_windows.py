"""Windows of the calendar: days, weeks, months, quarters and years of a time zone.

    calendar("day", tz="Europe/Berlin", grace=…)     | Sat 24 h | Sun 25 h | Mon 24 h |     as clocks go back on Sunday

A day begins at the first moment whose local date is that day, so it lasts 23 or 25 hours where clocks change. If local
midnight is skipped, the day begins where the clocks jump to; a date that is skipped altogether has no window.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from streams.windows.duration import grace_in_ms

Unit = Literal["day", "week", "month", "quarter", "year"]

DAY_MS: Final = 86_400_000
LONGEST_MS: Final[dict[str, int]] = {
    "day": 2 * DAY_MS,  # clocks never went back by more than a day
    "week": 8 * DAY_MS,
    "month": 32 * DAY_MS,
    "quarter": 93 * DAY_MS,
    "year": 367 * DAY_MS,
}
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class CalendarWindows(Struct, frozen=True, kw_only=True):
    """Windows from one local midnight to another; made by `calendar`. The first one is cut off at the epoch.

    Source: none in Kafka Streams, where a custom `Windows` class does it.
    """

    unit: Unit
    tz: tzinfo
    grace_ms: int

    @property
    def longest_ms(self) -> int:
        return LONGEST_MS[self.unit]

    @property
    def segment_ms(self) -> None:
        return None

    @property
    def form(self) -> str:
        return f"{self.unit} of {self.tz}"

    def window_at(self, timestamp: int) -> tuple[int, int]:
        """(start, end) of the window that holds `timestamp`, which must be >= 0."""
        day = _local(timestamp, self.tz).date()
        if self.unit == "day":
            bounds = [_midnight(self.tz, day + timedelta(days)) for days in range(-2, 4)]
        else:
            first = _first_day(self.unit, day)
            following = [_step(self.unit, first, steps) for steps in range(-1, 3)]
            bounds = [_midnight(self.tz, each) for each in following]
        index = bisect_right(bounds, timestamp)
        return max(bounds[index - 1], 0), bounds[index]

    def windows_for(self, timestamp: int) -> tuple[int, ...]:
        return (self.window_at(timestamp)[0],)

    def end_of(self, start: int) -> int:
        return self.window_at(start)[1]

    def next_end(self, time: int) -> int:
        return self.window_at(max(time, 0))[1]

    def starts_of_ends(self, after: int, through: int) -> tuple[int, int]:
        if through < 0:
            return 0, -1
        return self.window_at(max(after, 0))[0], self.window_at(through)[0] - 1


def calendar(unit: Unit, *, tz: str | tzinfo, grace: timedelta) -> CalendarWindows:
    """Windows of whole days, weeks (from Monday), months, quarters or years as people in a time zone have them.

    Args:
        tz: a name such as `"Europe/Berlin"`, or a `tzinfo`.
        grace: as in `tumbling`.

    Raises:
        ValueError: there is no such unit or time zone, or grace is not whole ms or negative.
    """
    if unit not in get_args(Unit):
        raise ValueError(f"there are no calendar windows of {unit!r}; there are {', '.join(get_args(Unit))}")
    if isinstance(tz, str):
        try:
            tz = UTC if tz == "UTC" else ZoneInfo(tz)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(
                f"there is no time zone {tz!r} here; on systems without time zones install the package tzdata"
            ) from error
    return CalendarWindows(unit=unit, tz=tz, grace_ms=grace_in_ms(grace))


def _first_day(unit: Unit, day: date) -> date:
    """The first day of the week, month, … that `day` is in."""
    if unit == "week":
        return day - timedelta(day.weekday())
    if unit == "month":
        return day.replace(day=1)
    if unit == "quarter":
        return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    return day.replace(month=1, day=1)


def _step(unit: Unit, first: date, steps: int) -> date:
    """The first day so many weeks, months, … later."""
    if unit == "week":
        return first + timedelta(weeks=steps)
    months = {"month": 1, "quarter": 3, "year": 12}[unit] * steps
    years, month = divmod(first.month - 1 + months, 12)
    return date(first.year + years, month + 1, 1)


def _midnight(tz: tzinfo, day: date) -> int:
    """The first moment of a local date, ms; where clocks jump over midnight, the moment of the jump."""
    local = datetime(day.year, day.month, day.day, tzinfo=tz)
    moment = _utc_ms(local)
    if _local(moment, tz) == local.replace(tzinfo=None):
        return moment
    # Clocks jumped over midnight. Read with the offset after the jump it lies before the jump, with the one before it
    # lies behind; the jump is where the offset changes between.
    early, late = sorted((_utc_ms(local), _utc_ms(local.replace(fold=1))))
    before = _local(early, tz) - _local(early, UTC)
    while late - early > 1:
        middle = (early + late) // 2
        if _local(middle, tz) - _local(middle, UTC) == before:
            early = middle
        else:
            late = middle
    return late


def _utc_ms(local: datetime) -> int:
    return (local.astimezone(UTC) - EPOCH) // timedelta(milliseconds=1)


def _local(moment: int, tz: tzinfo) -> datetime:
    """Wall-clock time at `moment`."""
    return (EPOCH + timedelta(milliseconds=moment)).astimezone(tz).replace(tzinfo=None)
