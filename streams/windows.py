"""Time windows: how long they are, how often one begins, and how long they wait for late records.

    hopping(10 minutes, 5 minutes, grace=…)      |---- 0 ----|
                                                       |---- 5 ----|
                                                             |---- 10 ---|
    a record at 7 minutes falls into the windows that start at 0 and at 5

Windows are aligned to the epoch. Durations are `timedelta`; inside, everything is int ms.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeWindows:
    """Windows [start, start + size_ms) that begin at every multiple of `advance_ms`; made by `tumbling`, `hopping`.

    A window is closed, and drops records, once stream time has reached its end plus `grace_ms`.

    Source: `org.apache.kafka.streams.kstream.TimeWindows`.
    """

    size_ms: int
    advance_ms: int
    grace_ms: int

    def windows_for(self, timestamp: int) -> range:
        """The starts of the windows that hold `timestamp`, oldest first; none is negative."""
        advance = self.advance_ms
        return range(max(0, timestamp - self.size_ms + advance) // advance * advance, timestamp + 1, advance)


def tumbling(size: timedelta, *, grace: timedelta) -> TimeWindows:
    """Windows of one size that follow each other without gap or overlap.

    Args:
        grace: how long a window waits for late records after its end. There is no default: zero drops every record
            that arrives out of order across a window's end.

    Raises:
        ValueError: a duration is not whole ms, size is not positive, or grace is negative.
    """
    return hopping(size, size, grace=grace)


def hopping(size: timedelta, advance: timedelta, *, grace: timedelta) -> TimeWindows:
    """Windows of one size of which one begins every `advance`, so that they overlap.

    A record falls into size / advance windows. `grace` as in `tumbling`.

    Raises:
        ValueError: a duration is not whole ms, size is not positive, advance is not in (0, size], or grace is negative.
    """
    size_ms = whole_ms("size", size)
    advance_ms = whole_ms("advance", advance)
    grace_ms = whole_ms("grace", grace)
    if size_ms <= 0:
        raise ValueError(f"size must be positive, got {size}")
    if not 0 < advance_ms <= size_ms:
        raise ValueError(f"advance must be positive and at most size ({size}), got {advance}")
    if grace_ms < 0:
        raise ValueError(f"grace must not be negative, got {grace}; timedelta(0) means none")
    return TimeWindows(size_ms=size_ms, advance_ms=advance_ms, grace_ms=grace_ms)


def whole_ms(argument: str, duration: timedelta) -> int:
    """A duration in ms; a ValueError that names `argument` where it is no timedelta or not whole ms."""
    if not isinstance(duration, timedelta):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ValueError(f"{argument} must be a timedelta, got {duration!r}; write timedelta(seconds=…)")
    milliseconds, rest = divmod(duration, MILLISECOND)
    if rest:
        raise ValueError(f"{argument} must be whole milliseconds, got {duration}")
    return milliseconds
