"""Time windows: how long they are, how often one begins, and how long they wait for late records.

    hopping(10 minutes, 5 minutes, grace=…)      |---- 0 ----|
                                                       |---- 5 ----|
                                                             |---- 10 ---|
    a record at 7 minutes falls into the windows that start at 0 and at 5

Windows are aligned to the epoch, or to an offset from it. Durations are `timedelta`; inside, everything is int ms.
"""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct

from streams.windows.duration import grace_in_ms, positive_ms, whole_ms

NO_OFFSET = timedelta(0)


class TimeWindows(Struct, frozen=True, kw_only=True):
    """Windows [start, start + size_ms) that begin at offset_ms and every advance_ms after it; made by `tumbling` and
    `hopping`.

    A window is closed, and drops records, once stream time has reached its end plus `grace_ms`.

    Source: `org.apache.kafka.streams.kstream.TimeWindows`, which has no offset.
    """

    size_ms: int
    advance_ms: int
    grace_ms: int
    offset_ms: int = 0
    """0 <= offset_ms < advance_ms. No window begins before the epoch, so a record before the offset is in none."""

    @property
    def longest_ms(self) -> int:
        return self.size_ms

    @property
    def segment_ms(self) -> int:
        return self.advance_ms

    @property
    def form(self) -> str:
        return f"{self.size_ms}"

    def windows_for(self, timestamp: int) -> range:
        """The starts of the windows that hold `timestamp`, oldest first; none is negative."""
        advance, offset = self.advance_ms, self.offset_ms
        first = max(0, timestamp - offset - self.size_ms + advance) // advance * advance + offset
        return range(first, timestamp + 1, advance)

    def end_of(self, start: int) -> int:
        return start + self.size_ms

    def next_end(self, time: int) -> int:
        following = (time - self.size_ms - self.offset_ms) // self.advance_ms + 1
        return max(following, 0) * self.advance_ms + self.offset_ms + self.size_ms

    def starts_of_ends(self, after: int, through: int) -> tuple[int, int]:
        return after - self.size_ms + 1, through - self.size_ms


def tumbling(size: timedelta, *, grace: timedelta, offset: timedelta = NO_OFFSET) -> TimeWindows:
    """Windows of one size that follow each other without gap or overlap.

    Args:
        grace: how long a window waits for late records after its end. There is no default: zero drops every record
            that arrives out of order across a window's end.
        offset: windows begin at this distance from the epoch and from there on: `tumbling(timedelta(days=1), …,
            offset=timedelta(hours=6))` are days from six to six, UTC. Negative offsets count back. For days of a time
            zone with daylight saving see `calendar`.

    Raises:
        ValueError: a duration is not whole ms, size is not positive, or grace is negative.
    """
    return hopping(size, size, grace=grace, offset=offset)


def hopping(size: timedelta, advance: timedelta, *, grace: timedelta, offset: timedelta = NO_OFFSET) -> TimeWindows:
    """Windows of one size of which one begins every `advance`, so that they overlap.

    A record falls into size / advance windows. `grace` and `offset` as in `tumbling`.

    Raises:
        ValueError: a duration is not whole ms, size is not positive, advance is not in (0, size], or grace is negative.
    """
    size_ms = positive_ms("size", size)
    advance_ms = whole_ms("advance", advance)
    if not 0 < advance_ms <= size_ms:
        raise ValueError(f"advance must be positive and at most size ({size}), got {advance}")
    return TimeWindows(
        size_ms=size_ms,
        advance_ms=advance_ms,
        grace_ms=grace_in_ms(grace),
        offset_ms=whole_ms("offset", offset) % advance_ms,
    )
