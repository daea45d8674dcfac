"""What windows have in common whose bounds depend on time alone, not on the records in them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol


class AlignedWindows(Protocol):
    """Time windows, calendar windows, unlimited windows. All times are int ms since the epoch.

    A window [start, end) is closed, and takes no more records, once stream time has reached end + `grace_ms`.
    """

    @property
    def grace_ms(self) -> int: ...

    @property
    def longest_ms(self) -> int:
        """No window is longer than this."""
        ...

    @property
    def segment_ms(self) -> int | None:
        """A good width for the segments of a store of these windows: each holds the windows of one start. None where
        there is none."""
        ...

    @property
    def form(self) -> str:
        """The same text for windows with the same bounds."""
        ...

    def windows_for(self, timestamp: int) -> Iterable[int]:
        """The starts of the windows that hold `timestamp`, oldest first; none is negative."""
        ...

    def end_of(self, start: int) -> int:
        """The end, exclusive, of the window that starts at `start`."""
        ...

    def next_end(self, time: int) -> int:
        """The earliest end of any window that is later than `time`."""
        ...

    def starts_of_ends(self, after: int, through: int) -> tuple[int, int]:
        """The first and last possible start of windows with after < end <= through; first > last if there is none."""
        ...
