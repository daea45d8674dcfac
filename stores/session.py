"""The session store: one row per key, session start and session end, forgotten when they leave retention.

A session that grows has a new end, so it is a new row and the old one is deleted; nothing is left of rows that come and
go between two commits. Its time is measured by ends (see `stores.segmented_store`).

Source: `RocksDBSessionStore`, `SessionKeySchema`.
"""

from __future__ import annotations

from stores.clean import CleanRows
from stores.row import Row
from stores.scan import Scan
from stores.segments import Segments
from stores.session_reader import SessionReader, SessionRow, found, sessions
from stores.specs import SessionSpec
from stores.timed_keys import LARGEST_TIME
from stores.timeline import Timeline
from stores.timeline_store import TimelineStore


class SessionStore(TimelineStore):
    """Rows by (key, start, end), times in ms, both inclusive. Owned by the thread that runs the task; others use
    `reader()`.

    Generated code asks `timeline(key, earliest_end).rows`, a list of (end, start, row) in that order, which it may read
    until its next write, and writes by `set_row(key, end, start, row)` and `remove_row(key, end, start)`.
    """

    def __init__(self, spec: SessionSpec, segments: Segments, clean: CleanRows[bytes, Timeline], time: int) -> None:
        self._committed = SessionReader(spec, segments)
        super().__init__(spec, self._committed, clean, time)
        self.spec = spec

    def get(self, key: bytes, start: int, end: int) -> Row | None:
        """The row of exactly this session, None if there is none or it is hidden."""
        return None if end <= self._hidden else self.timeline(key, end).get(end, start)

    def put(self, key: bytes, start: int, end: int, row: Row | None) -> None:
        """Sets the row; None deletes it. A hidden session takes no row: the put is ignored, as in Kafka Streams."""
        if type(key) is not bytes:
            raise TypeError(f"store {self.name!r}: keys are bytes, got {type(key).__name__}: serialise the key first")
        if not 0 <= start <= end:
            raise ValueError(
                f"store {self.name!r}: no session is from {start} to {end}; a start is not negative, nor after its end"
            )
        if end > self._time and self._follows_puts:
            self.advance(end)
        if row is None:
            self.remove_row(key, end, start)
        else:
            self.set_row(key, end, start, row)

    def remove(self, key: bytes, start: int, end: int) -> None:
        """Deletes the row."""
        self.put(key, start, end, None)

    def find(
        self, key: bytes, earliest_end: int, latest_start: int, *, reverse: bool = False
    ) -> Scan[tuple[tuple[int, int], Row]]:
        """((start, end), row) of a key's visible sessions with end >= earliest_end and start <= latest_start, by end.

        Those that a record at `ts` touches: find(key, ts - gap, ts + gap).
        """
        return found(self.rows_of(key, earliest_end, LARGEST_TIME), latest_start, reverse=reverse)

    def find_keys(
        self,
        key_from: bytes | None,
        key_to: bytes | None,
        earliest_end: int,
        latest_start: int,
        *,
        reverse: bool = False,
    ) -> Scan[SessionRow]:
        """Visible sessions with key_from <= key <= key_to (None: open), end >= earliest_end and start <= latest_start:
        by segment of the end, then key, then end."""
        return sessions(self.scan(earliest_end, LARGEST_TIME, key_from, key_to, reverse=reverse), latest_start)

    def fetch(self, key: bytes, *, reverse: bool = False) -> Scan[tuple[tuple[int, int], Row]]:
        """All visible sessions of a key, as `find` gives them."""
        return self.find(key, 0, LARGEST_TIME, reverse=reverse)

    def fetch_keys(self, key_from: bytes | None, key_to: bytes | None, *, reverse: bool = False) -> Scan[SessionRow]:
        """All visible sessions of keys with key_from <= key <= key_to, as `find_keys` gives them."""
        return self.find_keys(key_from, key_to, 0, LARGEST_TIME, reverse=reverse)

    def all(self, *, reverse: bool = False) -> Scan[SessionRow]:
        """All visible sessions, as `find_keys` gives them."""
        return self.fetch_keys(None, None, reverse=reverse)

    def reader(self) -> SessionReader:
        """Committed rows only, for any thread."""
        return self._committed
