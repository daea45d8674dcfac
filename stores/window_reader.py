"""Committed rows of a window store, for any thread."""

from __future__ import annotations

from collections.abc import Iterator

from stores.row import Row
from stores.scan import Scan
from stores.segments import Segments
from stores.specs import WindowSpec
from stores.timed_keys import LARGEST_TIME
from stores.timed_reader import TimedReader

WindowRow = tuple[tuple[bytes, int], Row]
"""((key, window start in ms), row)."""


class WindowReader(TimedReader):
    """Reads as of the last commit; values are decoded anew, so nobody shares them. Rows out of retention never come
    out. Raises RowDecodeError, StoreClosedError."""

    def __init__(self, spec: WindowSpec, segments: Segments) -> None:
        super().__init__(spec.name, spec.codec, segments)
        self.spec = spec

    def get(self, key: bytes, start: int) -> Row | None:
        """The row of a window, None if there is none, and always None in a store with duplicates."""
        return self.row(key, start, 0)

    def fetch(self, key: bytes, time_from: int, time_to: int, *, reverse: bool = False) -> Scan[tuple[int, Row]]:
        """The rows of a key with time_from <= start <= time_to, by start, duplicates as they came."""
        rows = self.rows_of(key, max(time_from, self.hidden + 1), time_to)
        return fetched(rows, reverse=reverse)

    def fetch_keys(
        self, key_from: bytes | None, key_to: bytes | None, time_from: int, time_to: int, *, reverse: bool = False
    ) -> Scan[WindowRow]:
        """Rows with key_from <= key <= key_to (None: open) and time_from <= start <= time_to: by segment, then key,
        then start."""
        return windowed(self.scan(max(time_from, self.hidden + 1), time_to, key_from, key_to, reverse=reverse))

    def fetch_all(self, time_from: int, time_to: int, *, reverse: bool = False) -> Scan[WindowRow]:
        """Rows of all keys with time_from <= start <= time_to: by segment, then key, then start."""
        return self.fetch_keys(None, None, time_from, time_to, reverse=reverse)

    def all(self, *, reverse: bool = False) -> Scan[WindowRow]:
        """All rows: by segment, then key, then start."""
        return self.fetch_all(0, LARGEST_TIME, reverse=reverse)


def fetched(rows: list[tuple[int, int, Row]], *, reverse: bool) -> Scan[tuple[int, Row]]:
    """Rows of one key, as `fetch` gives them."""
    return Scan(iter([(start, row) for start, _, row in (reversed(rows) if reverse else rows)]))


def windowed(rows: Scan[tuple[bytes, int, int, Row]]) -> Scan[WindowRow]:
    """Rows of several keys, as `fetch_keys` gives them."""
    return Scan(_windows(rows), rows.close)


def _windows(rows: Scan[tuple[bytes, int, int, Row]]) -> Iterator[WindowRow]:
    for key, start, _, row in rows:
        yield (key, start), row
