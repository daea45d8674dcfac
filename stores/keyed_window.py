"""The window store for those who ask for stretches of one key's windows: sliding aggregations, joins, processors.

Same rows, changelog and files as `stores.window.WindowStore`, kept key by key in memory. Only this one keeps
duplicates.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from stores.clean import CleanRows
from stores.row import Row
from stores.scan import Scan
from stores.segments import Segments
from stores.specs import WindowSpec
from stores.timed_keys import LARGEST_TIME
from stores.timed_reader import TimedRow
from stores.timeline import Timeline
from stores.timeline_store import TimelineStore
from stores.window_reader import WindowReader, WindowRow, fetched, windowed


class KeyedWindowStore(TimelineStore):
    """Rows by (key, window start in ms). Owned by the thread that runs the task; others use `reader()`.

    With duplicates each put is a row of its own: `rank` counts up from 1 for each key and start. Source:
    `RocksDBWindowStore`, `retainDuplicates`; there the count starts again with the process and can overwrite rows.
    """

    def __init__(self, spec: WindowSpec, segments: Segments, clean: CleanRows[bytes, Timeline], time: int) -> None:
        self._committed = WindowReader(spec, segments)
        super().__init__(spec, self._committed, clean, time)
        self.spec = spec
        self.size_ms = spec.size_ms

    def get(self, key: bytes, start: int) -> Row | None:
        """The row, None if there is none or it is hidden; always None in a store with duplicates."""
        return None if start <= self._hidden else self.timeline(key, start).get(start, 0)

    def put(self, key: bytes, start: int, row: Row | None) -> None:
        """Sets the row; None deletes it, or does nothing in a store with duplicates. A hidden window takes no rows: the
        put is ignored, as in Kafka Streams."""
        if type(key) is not bytes:
            raise TypeError(f"store {self.name!r}: keys are bytes, got {type(key).__name__}: serialise the key first")
        if start < 0:
            raise ValueError(f"store {self.name!r}: window start {start} is negative; starts are ms since the epoch")
        if self.spec.duplicates and row is None:
            return
        if start > self._time and self._follows_puts:
            self.advance(start)
        if row is None:
            self.remove_row(key, start, 0)
        elif self.spec.duplicates:
            self.append(key, start, row)
        else:
            self.set_row(key, start, 0, row)

    def append(self, key: bytes, start: int, row: Row) -> Sequence[TimedRow]:
        """Adds a row behind those of the same key and start, in a store with duplicates; nothing where it is hidden.

        Returns what is known of the key's rows, by start, this one included: the store's own list, to be read before
        the next call. Some rows in it may be hidden.
        """
        line = self._open.get(key)
        if line is None or line.since > start:
            line = self._open[key] = self.timeline(key, start)
        rows = line.rows
        if start <= self._hidden:
            return rows
        if not rows or rows[-1][0] < start:  # most rows come in order
            rank = 1
            rows.append((start, rank, row))
        else:
            newer = bisect_left(rows, (start + 1,))
            rank = rows[newer - 1][1] + 1 if newer and rows[newer - 1][0] == start else 1
            rows.insert(newer, (start, rank, row))
        self.dirty[key, start, rank] = row  # nobody deletes single duplicates, so it need not be told whether it is new
        return rows

    def fetch(self, key: bytes, time_from: int, time_to: int, *, reverse: bool = False) -> Scan[tuple[int, Row]]:
        """The visible rows of a key with time_from <= start <= time_to, both inclusive, by start, duplicates as they
        came."""
        return fetched(self.rows_of(key, time_from, time_to), reverse=reverse)

    def fetch_keys(
        self, key_from: bytes | None, key_to: bytes | None, time_from: int, time_to: int, *, reverse: bool = False
    ) -> Scan[WindowRow]:
        """Visible rows with key_from <= key <= key_to (None: open) and time_from <= start <= time_to: by segment, then
        key, then start."""
        return windowed(self.scan(time_from, time_to, key_from, key_to, reverse=reverse))

    def fetch_all(self, time_from: int, time_to: int, *, reverse: bool = False) -> Scan[WindowRow]:
        """Visible rows of all keys with time_from <= start <= time_to: by segment, then key, then start."""
        return self.fetch_keys(None, None, time_from, time_to, reverse=reverse)

    def all(self, *, reverse: bool = False) -> Scan[WindowRow]:
        """All visible rows: by segment, then key, then start."""
        return self.fetch_all(0, LARGEST_TIME, reverse=reverse)

    def reader(self) -> WindowReader:
        """Committed rows only, for any thread."""
        return self._committed
