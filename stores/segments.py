"""A table whose rows are in segments of time (see `stores.timed_keys`): short reads of a key, whole segments deleted.

Nothing is decoded here. `first` and `last` are the segments that have rows; the store moves them at a commit. Each is a
single int, so a reader on another thread sees a value from before or after, and both are answers of a moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Final

from stores.scan import Scan
from stores.table import Cursor, Pair, Table
from stores.timed_keys import HEAD_BYTES, LARGEST_TIME, TimedKeys, segment_of, segment_prefix

FEW_SEGMENTS: Final = 8
AFTER_SEGMENTS: Final = b"\xff" * 8
"""A table key after those of all segments."""


class Segments:
    """Times are in ms; bounds are inclusive."""

    __slots__ = ("first", "keys", "last", "segment_ms", "table")

    def __init__(self, table: Table, keys: TimedKeys, segment_ms: int) -> None:
        self.table = table
        self.keys = keys
        self.segment_ms = segment_ms
        self.first: int = 0
        self.last: int = -1
        self.measure()

    def local_key(self, key: bytes, time: int, rank: int) -> bytes:
        """The table key of a row."""
        return self.keys.local_key(key, time, rank, self.segment_ms)

    def local_of(self, time: int, timed_key: bytes) -> bytes:
        """The same of key, time and rank as `TimedKeys.changelog_key` puts them together."""
        return segment_prefix(time // self.segment_ms) + timed_key

    def get(self, key: bytes, time: int, rank: int) -> bytes | None:
        """A row's local form. Times newer than all rows cost no look into the table."""
        if not self.first <= time // self.segment_ms <= self.last:
            return None
        return self.table.get(self.local_key(key, time, rank))

    def rows_of(self, key: bytes, first: int, last: int) -> Iterator[tuple[int, int, bytes]]:
        """(time, rank, local form) of a key's rows with first <= time <= last, in that order."""
        first, last = max(first, 0), min(last, LARGEST_TIME)
        if first > last:
            return
        suffix, suffix_bytes = self.keys.suffix, self.keys.suffix_bytes
        local_bytes = HEAD_BYTES + len(key) + suffix_bytes
        lower, upper = key + suffix.pack(first, 0), self.keys.rows_end(key, last)
        for segment in self._with_key(first, last, lower, upper):
            head = segment_prefix(segment)
            for local, value in self.table.scan(head + lower, head + upper):
                if len(local) == local_bytes:  # else a longer key that begins with this one
                    time, rank = suffix.unpack_from(local, local_bytes - suffix_bytes)
                    yield time, rank, value

    def scan(
        self, first: int, last: int, key_from: bytes | None, key_to: bytes | None, *, reverse: bool = False
    ) -> Cursor:
        """Rows by segment, then key, then time and rank: those with first <= time <= last and key_from <= key <=
        key_to, None leaving an end open, and others between them, which the caller skips."""
        first, last = max(first, 0), min(last, LARGEST_TIME)
        if key_from is None and key_to is None:
            lower, upper = segment_prefix(first // self.segment_ms), segment_prefix(last // self.segment_ms + 1)
            return self.table.scan(lower, upper, reverse=reverse)
        heads = [(segment_prefix(segment), segment_prefix(segment + 1)) for segment in self.between(first, last)]
        if reverse:
            heads.reverse()
        end = None if key_to is None else self.keys.keys_end(key_to)
        bounds = [(head + (key_from or b""), following if end is None else head + end) for head, following in heads]
        # All at once, so that they see one moment.
        return ChainedCursor([self.table.scan(lower, upper, reverse=reverse) for lower, upper in bounds])

    def between(self, first: int, last: int) -> Iterable[int]:
        """The segments that may hold times from `first` to `last`.

        There are few of them, unless the clock has not moved for a long stretch of history: nobody moved it since a
        restore, or a watermark holds it back. Then empty ones are skipped by looking for the next row.
        """
        segment, end = self._bounds(first, last)
        return range(segment, end + 1) if end - segment < FEW_SEGMENTS else self._filled(segment, end)

    def _bounds(self, first: int, last: int) -> tuple[int, int]:
        return max(first // self.segment_ms, self.first), min(last // self.segment_ms, self.last)

    def _with_key(self, first: int, last: int, lower: bytes, upper: bytes) -> Iterable[int]:
        """Those of them that have rows from `lower` to `upper`, as long as it is cheaper to look than to scan each."""
        segment, end = self._bounds(first, last)
        return range(segment, end + 1) if end - segment < FEW_SEGMENTS else self._found(segment, end, lower, upper)

    def _found(self, segment: int, end: int, lower: bytes, upper: bytes) -> Iterator[int]:
        """One look for each segment: it finds the key's row, or how far there is nothing."""
        while segment <= end:
            head = segment_prefix(segment)
            found = self.table.first(head + lower)
            if found is None:
                return
            local, following = found[0], segment_of(found[0])
            if following == segment:
                if local < head + upper:
                    yield segment
                segment += 1
            else:
                segment = following

    def measure(self) -> None:
        """Looks up the first and last segment that have rows."""
        first, last = self.table.first(b""), self._last()
        if first is None or last is None:
            self.first, self.last = 0, -1
        else:
            self.first, self.last = segment_of(first[0]), segment_of(last)

    def keep_bounds(self, times: Iterable[int], live_segment: int) -> None:
        """Follows a commit that wrote rows with these times and deleted the segments before `live_segment`."""
        segments = [time // self.segment_ms for time in times]
        if max(self.first, live_segment) <= self.last:
            segments += max(self.first, live_segment), self.last
        self.first, self.last = (min(segments), max(segments)) if segments else (0, -1)

    def expired_keys(self, segment: int) -> Iterator[bytes]:
        """Table keys of the rows in segments before `segment`."""
        for local, _ in self.table.scan(b"", segment_prefix(segment)):
            yield local

    def _filled(self, segment: int, end: int) -> Iterator[int]:
        while segment <= end:
            following = self.table.first(segment_prefix(segment))
            if following is None or segment_of(following[0]) > end:
                return
            segment = segment_of(following[0])
            yield segment
            segment += 1

    def _last(self) -> bytes | None:
        """The last table key."""
        with Scan(iter(cursor := self.table.scan(b"", AFTER_SEGMENTS, reverse=True)), cursor.close) as pairs:
            for local, _ in pairs:
                return local
        return None


class ChainedCursor:
    """One cursor after the other."""

    __slots__ = ("_cursors",)

    def __init__(self, cursors: Sequence[Cursor]) -> None:
        self._cursors = cursors

    def __iter__(self) -> Iterator[Pair]:
        return chain.from_iterable(self._cursors)

    def close(self) -> None:
        for cursor in self._cursors:
            cursor.close()
