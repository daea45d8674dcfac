"""The window that never ends."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from streams.windows.duration import FOREVER


class UnlimitedWindows(Struct, frozen=True, kw_only=True):
    """One window [start_ms, forever); made by `unlimited`. Records before its start are in no window. It is never
    closed and its rows are never forgotten.

    Source: `org.apache.kafka.streams.kstream.UnlimitedWindows`.
    """

    start_ms: int

    @property
    def grace_ms(self) -> int:
        return 0

    @property
    def longest_ms(self) -> int:
        return FOREVER

    @property
    def segment_ms(self) -> None:
        return None

    @property
    def form(self) -> str:
        return f"{FOREVER}"

    def windows_for(self, timestamp: int) -> tuple[int, ...]:
        return (self.start_ms,) if timestamp >= self.start_ms else ()

    def end_of(self, start: int) -> int:
        return FOREVER

    def next_end(self, time: int) -> int:
        return FOREVER

    def starts_of_ends(self, after: int, through: int) -> tuple[int, int]:
        return 0, -1


def unlimited(*, start: datetime | int = 0) -> UnlimitedWindows:
    """A single window that takes every record from `start` on: a datetime with a time zone, or ms since the epoch.

    Raises:
        ValueError: start is before the epoch, not whole ms, or a datetime without a time zone.
    """
    if isinstance(start, datetime):
        if start.tzinfo is None:
            raise ValueError(f"start needs a time zone, got {start!r}; write datetime(…, tzinfo=UTC)")
        seconds = start.timestamp()
        start_ms = round(seconds * 1000)
        if start.microsecond % 1000:
            raise ValueError(f"start must be whole milliseconds, got {start!r}")
    else:
        start_ms = start
    if start_ms < 0:
        raise ValueError(f"start must not be before the epoch, got {start!r}")
    return UnlimitedWindows(start_ms=start_ms)
