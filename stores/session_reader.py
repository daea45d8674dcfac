"""Committed rows of a session store, for any thread."""

from __future__ import annotations

from collections.abc import Iterator

from stores.row import Row
from stores.scan import Scan
from stores.segments import Segments
from stores.specs import SessionSpec
from stores.timed_keys import LARGEST_TIME
from stores.timed_reader import TimedReader

SessionRow = tuple[tuple[bytes, int, int], Row]
"""((key, session start, session end), row), times in ms, both inclusive."""


class SessionReader(TimedReader):
    """Reads as of the last commit; values are decoded anew, so nobody shares them. Sessions out of retention never come
    out. Raises RowDecodeError, StoreClosedError."""

    def __init__(self, spec: SessionSpec, segments: Segments) -> None:
        super().__init__(spec.name, spec.codec, segments)
        self.spec = spec

    def get(self, key: bytes, start: int, end: int) -> Row | None:
        """The row of exactly this session, None if there is none."""
        return self.row(key, end, start)

    def find(
        self, key: bytes, earliest_end: int, latest_start: int, *, reverse: bool = False
    ) -> Scan[tuple[tuple[int, int], Row]]:
        """((start, end), row) of a key's sessions with end >= earliest_end and start <= latest_start, by end."""
        return found(self.rows_of(key, max(earliest_end, self.hidden + 1), LARGEST_TIME), latest_start, reverse=reverse)

    def find_keys(
        self,
        key_from: bytes | None,
        key_to: bytes | None,
        earliest_end: int,
        latest_start: int,
        *,
        reverse: bool = False,
    ) -> Scan[SessionRow]:
        """Sessions with key_from <= key <= key_to (None: open), end >= earliest_end and start <= latest_start: by
        segment of the end, then key, then end."""
        earliest_end = max(earliest_end, self.hidden + 1)
        return sessions(self.scan(earliest_end, LARGEST_TIME, key_from, key_to, reverse=reverse), latest_start)

    def fetch(self, key: bytes, *, reverse: bool = False) -> Scan[tuple[tuple[int, int], Row]]:
        """All sessions of a key, as `find` gives them."""
        return self.find(key, 0, LARGEST_TIME, reverse=reverse)

    def fetch_keys(self, key_from: bytes | None, key_to: bytes | None, *, reverse: bool = False) -> Scan[SessionRow]:
        """All sessions of keys with key_from <= key <= key_to, as `find_keys` gives them."""
        return self.find_keys(key_from, key_to, 0, LARGEST_TIME, reverse=reverse)

    def all(self, *, reverse: bool = False) -> Scan[SessionRow]:
        """All sessions, as `find_keys` gives them."""
        return self.fetch_keys(None, None, reverse=reverse)


def found(rows: list[tuple[int, int, Row]], latest_start: int, *, reverse: bool) -> Scan[tuple[tuple[int, int], Row]]:
    """Rows of one key, as `find` gives them."""
    ordered = reversed(rows) if reverse else rows
    return Scan(iter([((start, end), row) for end, start, row in ordered if start <= latest_start]))


def sessions(rows: Scan[tuple[bytes, int, int, Row]], latest_start: int) -> Scan[SessionRow]:
    """Rows of several keys, as `find_keys` gives them."""
    return Scan(_sessions(rows, latest_start), rows.close)


def _sessions(rows: Scan[tuple[bytes, int, int, Row]], latest_start: int) -> Iterator[SessionRow]:
    for key, end, start, row in rows:
        if start <= latest_start:
            yield (key, start, end), row
