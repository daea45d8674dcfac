"""Committed rows of a window store, for any thread."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stores.errors import RowDecodeError
from stores.row import Row, row_decoder
from stores.scan import Scan, merged_rows
from stores.specs import WindowSpec
from stores.table import Table
from stores.window_keys import (
    HEAD_BYTES,
    LARGEST_TIME,
    SUFFIX,
    SUFFIX_BYTES,
    local_key,
    segment_of,
    segment_prefix,
    split_local,
)

WindowRow = tuple[tuple[bytes, int], Row]
"""((key, window start in ms), row)."""

FEW_SEGMENTS = 8


class WindowReader:
    """Reads as of the last commit. Rows with start <= `hidden` are out of retention and never come out.

    The store owns `hidden` and the segment bounds and moves them at a commit; each is a single int, so a reader on
    another thread sees a value from before or after, and both are answers of a moment.
    """

    def __init__(self, spec: WindowSpec, table: Table, segment_ms: int) -> None:
        self.spec = spec
        self.segment_ms = segment_ms
        self.hidden = -1
        self.first_segment: int = 0
        self.last_segment: int = -1
        self.decode_row = row_decoder(spec.codec)
        self._table = table
        self.measure()

    def get(self, key: bytes, start: int) -> Row | None:
        """The row of a window, None if there is none. Raises RowDecodeError, StoreClosedError."""
        local = None if start <= self.hidden else self.local(key, start)
        return None if local is None else self.decode(key, local)

    def fetch(self, key: bytes, time_from: int, time_to: int, *, reverse: bool = False) -> Scan[tuple[int, Row]]:
        """The rows of a key with time_from <= start <= time_to, by start."""
        rows = self.fetched(key, max(time_from, self.hidden + 1), time_to)
        return Scan(iter(sorted(rows.items(), reverse=reverse)))

    def fetch_all(self, time_from: int, time_to: int, *, reverse: bool = False) -> Scan[WindowRow]:
        """Rows of all keys with time_from <= start <= time_to: by segment, then key, then start."""
        first, last = max(time_from, self.hidden + 1), min(time_to, LARGEST_TIME)
        if first > last:
            return Scan(iter(()))
        cursor = self._table.scan(*self.bounds(first, last), reverse=reverse)
        rows = merged_rows(self.spec.name, self.decode_row, cursor, (), reverse=reverse)
        return Scan(within(rows, first, last), cursor.close)

    def all(self, *, reverse: bool = False) -> Scan[WindowRow]:
        """All rows: by segment, then key, then start."""
        return self.fetch_all(0, LARGEST_TIME, reverse=reverse)

    def approximate_entries(self) -> int:
        """The table's estimate of how many rows there are, hidden ones included."""
        return self._table.approximate_entries()

    # What the store shares with its reader

    def local(self, key: bytes, start: int) -> bytes | None:
        """The local form of a row, hidden or not. Windows newer than all rows cost no look into the table."""
        if not self.first_segment <= start // self.segment_ms <= self.last_segment:
            return None
        return self._table.get(local_key(key, start, self.segment_ms))

    def decode(self, key: bytes, local: bytes) -> Row:
        """A row from its local form. Raises RowDecodeError naming the key."""
        try:
            return self.decode_row(local)
        except Exception as error:
            raise RowDecodeError(self.spec.name, key, error) from error

    def fetched(self, key: bytes, first: int, last: int) -> dict[int, Row]:
        """Start -> row of a key for first <= start <= last, hidden or not, in no order."""
        found: dict[int, Row] = {}
        local_bytes = HEAD_BYTES + len(key) + SUFFIX_BYTES
        for segment in self._segments(first, last):
            head = segment_prefix(segment) + key
            lower = head + SUFFIX.pack(max(first, 0), 0)
            cursor = self._table.scan(lower, head + SUFFIX.pack(min(last, LARGEST_TIME), 0) + b"\x00")
            for local, value in cursor:
                if len(local) == local_bytes:  # else a longer key that begins with this one
                    found[SUFFIX.unpack_from(local, local_bytes - SUFFIX_BYTES)[0]] = self.decode(key, value)
        return found

    def bounds(self, first: int, last: int) -> tuple[bytes, bytes]:
        """Table bounds that hold all rows with first <= start <= last (and others)."""
        return segment_prefix(max(first, 0) // self.segment_ms), segment_prefix(last // self.segment_ms + 1)

    def measure(self) -> None:
        """Looks up the first and last segment that have rows."""
        first, last = self._edge(reverse=False), self._edge(reverse=True)
        if first is None or last is None:
            self.first_segment, self.last_segment = 0, -1
        else:
            self.first_segment, self.last_segment = segment_of(first), segment_of(last)

    def keep_bounds(self, starts: Sequence[int], live_segment: int) -> None:
        """Follows a commit that wrote rows with these starts and deleted the segments before `live_segment`."""
        segments = [start // self.segment_ms for start in starts]
        if max(self.first_segment, live_segment) <= self.last_segment:
            segments += max(self.first_segment, live_segment), self.last_segment
        self.first_segment, self.last_segment = (min(segments), max(segments)) if segments else (0, -1)

    def expired_keys(self, segment: int) -> Iterator[bytes]:
        """Table keys of the rows in segments before `segment`."""
        for local, _ in self._table.scan(b"", segment_prefix(segment)):
            yield local

    def _segments(self, first: int, last: int) -> Iterator[int]:
        """The segments that may hold starts from `first` to `last`.

        There are few of them, unless nobody has moved the clock since a long history was restored; then empty ones are
        skipped by looking for the next row.
        """
        segment = max(first // self.segment_ms, self.first_segment)
        end = min(last // self.segment_ms, self.last_segment)
        if end - segment < FEW_SEGMENTS:
            yield from range(segment, end + 1)
            return
        while segment <= end:
            following = self._edge(lower=segment_prefix(segment))
            if following is None or segment_of(following) > end:
                return
            segment = segment_of(following)
            yield segment
            segment += 1

    def _edge(self, *, lower: bytes = b"", reverse: bool = False) -> bytes | None:
        """The first table key from `lower` on, or the last of all."""
        with Scan(iter(cursor := self._table.scan(lower, None, reverse=reverse)), cursor.close) as pairs:
            for local, _ in pairs:
                return local
        return None


def within(rows: Iterator[tuple[bytes, Row]], first: int, last: int) -> Iterator[WindowRow]:
    """Rows under table keys as rows under (key, start), those with first <= start <= last."""
    for local, row in rows:
        window = split_local(local)
        if first <= window[1] <= last:
            yield window, row
