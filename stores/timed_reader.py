"""Committed rows that have a time, for any thread: what readers of windows and sessions have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stores.codec import ValueCodec
from stores.errors import RowDecodeError
from stores.row import Row, row_decoder
from stores.scan import Change, Scan, merged_rows
from stores.segments import Segments
from stores.timed_keys import LARGEST_TIME

TimedRow = tuple[int, int, Row]
"""(time, rank, row) of a row whose key is known."""


class TimedReader:
    """Reads as of the last commit. Rows with time <= `hidden` are out of retention and never come out.

    The store owns `hidden` and moves it at a commit.
    """

    def __init__(self, store: str, codec: ValueCodec, segments: Segments) -> None:
        self.hidden = -1
        self.segments = segments
        self.decode_row = row_decoder(codec)
        self._store = store

    def approximate_entries(self) -> int:
        """The table's estimate of how many rows there are, hidden ones included."""
        return self.segments.table.approximate_entries()

    # What the store shares with its reader

    def row(self, key: bytes, time: int, rank: int) -> Row | None:
        """The row, unless it is hidden."""
        local = None if time <= self.hidden else self.segments.get(key, time, rank)
        return None if local is None else self.decode(key, local)

    def rows_of(self, key: bytes, first: int, last: int) -> list[TimedRow]:
        """A key's rows with first <= time <= last, hidden or not, by time and rank."""
        return [(time, rank, self.decode(key, local)) for time, rank, local in self.segments.rows_of(key, first, last)]

    def decode(self, key: bytes, local: bytes) -> Row:
        """A row from its local form. Raises RowDecodeError naming the key."""
        try:
            return self.decode_row(local)
        except Exception as error:
            raise RowDecodeError(self._store, key, error) from error

    def scan(
        self,
        first: int,
        last: int,
        key_from: bytes | None,
        key_to: bytes | None,
        changes: Sequence[Change] = (),
        *,
        reverse: bool,
    ) -> Scan[tuple[bytes, int, int, Row]]:
        """(key, time, rank, row) with first <= time <= last and key_from <= key <= key_to, None leaving an end open:
        by segment, then key, then time and rank. `changes` are laid over; they are in that order, within the bounds.
        """
        first, last = max(first, 0), min(last, LARGEST_TIME)
        if first > last or (key_from is not None and key_to is not None and key_from > key_to):
            return Scan(iter(()))
        cursor = self.segments.scan(first, last, key_from, key_to, reverse=reverse)
        rows = merged_rows(self._store, self.decode_row, cursor, changes, reverse=reverse)
        return Scan(self._within(rows, first, last, key_from, key_to), cursor.close)

    def resume(
        self,
        after: tuple[bytes, int, int] | None,
        first: int,
        last: int,
        key_from: bytes | None,
        key_to: bytes | None,
        *,
        reverse: bool,
    ) -> Iterator[tuple[bytes, int, int, Row]]:
        """What `scan` gives of rows that are not hidden, behind the row (key, time, rank) `after`; None: all of it.

        So a long scan can be taken in parts, each of which sees a moment of its own.
        """
        first = max(first, self.hidden + 1)
        if after is None:
            with self.scan(first, last, key_from, key_to, reverse=reverse) as rows:
                yield from rows
            return
        key, time, rank = after
        begin = time // self.segments.segment_ms * self.segments.segment_ms
        end = begin + self.segments.segment_ms - 1
        low, high = (key_from, key) if reverse else (key, key_to)
        with self.scan(max(first, begin), min(last, end), low, high, reverse=reverse) as rows:
            for row in rows:
                at = row[:3]
                if at < (key, time, rank) if reverse else at > (key, time, rank):
                    yield row
        first, last = (first, min(last, begin - 1)) if reverse else (max(first, end + 1), last)
        with self.scan(first, last, key_from, key_to, reverse=reverse) as rows:
            yield from rows

    def _within(
        self, rows: Iterator[tuple[bytes, Row]], first: int, last: int, key_from: bytes | None, key_to: bytes | None
    ) -> Iterator[tuple[bytes, int, int, Row]]:
        split = self.segments.keys.split_local
        lowest = key_from or b""
        for local, row in rows:
            key, time, rank = split(local)
            if first <= time <= last and lowest <= key and (key_to is None or key <= key_to):
                yield key, time, rank, row
