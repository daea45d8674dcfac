"""Where the versions of a versioned store are: those that have ended in segments, the latest ones behind them.

table key                        row
segment of the end ‖ timed key   a version that has ended, or a deletion (see `stores.versioned`)
8 × 0xff ‖ key                   the latest version; its time is LARGEST_TIME
"""

from __future__ import annotations

from collections.abc import Iterable

from stores.segments import AFTER_SEGMENTS, Segments
from stores.table import Cursor
from stores.timed_keys import LARGEST_TIME


class VersionSegments(Segments):
    """Scans by time see only what is in segments."""

    __slots__ = ()

    def local_key(self, key: bytes, time: int, rank: int) -> bytes:
        return AFTER_SEGMENTS + key if time == LARGEST_TIME else super().local_key(key, time, rank)

    def local_of(self, time: int, timed_key: bytes) -> bytes:
        if time == LARGEST_TIME:
            return AFTER_SEGMENTS + timed_key[: -self.keys.suffix_bytes]
        return super().local_of(time, timed_key)

    def get(self, key: bytes, time: int, rank: int) -> bytes | None:
        if time == LARGEST_TIME:
            return self.table.get(AFTER_SEGMENTS + key)
        return super().get(key, time, rank)

    def scan_latest(self, lower: bytes = b"", upper: bytes | None = None, *, reverse: bool) -> Cursor:
        """The latest versions of keys with lower <= key < upper, by key; None leaves the end open."""
        end = None if upper is None else AFTER_SEGMENTS + upper
        return self.table.scan(AFTER_SEGMENTS + lower, end, reverse=reverse)

    def keep_bounds(self, times: Iterable[int], live_segment: int) -> None:
        super().keep_bounds((time for time in times if time != LARGEST_TIME), live_segment)
