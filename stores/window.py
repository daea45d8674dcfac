"""The window store: one row per key and window start, forgotten when they leave retention.

It works like the key-value store (see `stores.key_value`) with one more dict on the way: window start -> key -> row.
Its time is told by `advance` (see `stores.segmented_store`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from operator import is_, itemgetter

from stores.changelog import ChangelogRecord, as_record
from stores.clean import SAMPLE_ROWS, CleanRows
from stores.encoding import encoded_bytes
from stores.errors import RowEncodeError, StoreError
from stores.row import MISSING, TIMESTAMP, Row
from stores.scan import Change, Scan
from stores.segmented_store import SegmentedStore
from stores.segments import Segments
from stores.sorted_keys import DirtyKeys
from stores.specs import WindowSpec
from stores.table import Writer
from stores.timed_keys import LARGEST_TIME, WINDOW_KEYS, segment_prefix
from stores.window_reader import WindowReader, WindowRow, windowed


class WindowStore(SegmentedStore):
    """Rows by (key, window start in ms). Owned by the thread that runs the task; others use `reader()`.

    `dirty`: window start -> key -> row written since the last commit, None for a deleted one. The outer dict keeps its
    identity; an inner one is good until the next `advance`, commit or discard. Generated code creates inner dicts and
    sets rows; only this package removes any. `load` is only for rows that are not in `dirty`.
    """

    def __init__(
        self, spec: WindowSpec, segments: Segments, clean: CleanRows[tuple[bytes, int], Row], time: int
    ) -> None:
        self._committed = WindowReader(spec, segments)
        super().__init__(spec, self._committed, time)
        self.spec = spec
        self.size_ms = spec.size_ms
        self.dirty: dict[int, dict[bytes, Row | None]] = {}
        self.clean = clean
        self._recent = clean.recent.get
        self._dirty_starts: DirtyKeys[int, dict[bytes, Row | None]] = DirtyKeys(self.dirty)
        self._frozen_rows: dict[int, dict[bytes, Row | None]] | None = None
        self._frozen: Sequence[tuple[int, Sequence[ChangelogRecord]]] = ()
        self._weighed = 0

    # Time

    def advance(self, time: int) -> None:
        """Moves the clock, never back: rows with start <= time - retention_ms are hidden from now on.

        To be called after each batch, moved or not: it also drops what was written for hidden windows meanwhile.
        """
        if time > self._time:
            self._time = time
            self._hidden = time - self.retention_ms
        if self.dirty and self._hidden >= 0:
            for start in self._dirty_starts.take_through(self._hidden):
                del self.dirty[start]

    # Rows by key and start

    def load(self, key: bytes, start: int) -> Row | None:
        """The committed row of a window that is not in `dirty`, None if hidden. Raises RowDecodeError."""
        if start <= self._hidden:
            return None
        window = key, start
        row = self._recent(window, MISSING)
        if row is not MISSING:
            return row
        clean = self.clean
        row = clean.revive(window)
        if row is MISSING:
            local = self._segments.get(key, start, 0)
            row = None if local is None else self._committed.decode(key, local)
            clean.insert(window, row, 0 if local is None else len(local))
        return row

    def get(self, key: bytes, start: int) -> Row | None:
        """The row, None if there is none or it is hidden."""
        if start <= self._hidden:
            return None
        rows = self.dirty.get(start)
        row = MISSING if rows is None else rows.get(key, MISSING)
        return self.load(key, start) if row is MISSING else row

    def put(self, key: bytes, start: int, row: Row | None) -> None:
        """Sets the row; None deletes it. A hidden window takes no rows: the put is ignored, as in Kafka Streams."""
        if type(key) is not bytes:
            raise TypeError(f"store {self.name!r}: keys are bytes, got {type(key).__name__}: serialise the key first")
        if start < 0:
            raise ValueError(f"store {self.name!r}: window start {start} is negative; starts are ms since the epoch")
        if start > self._time and self._follows_puts:
            self.advance(start)
        if start > self._hidden:
            rows = self.dirty.get(start)
            if rows is None:
                rows = self.dirty[start] = {}
            rows[key] = row

    # Scans: dirty rows included, unmoved by what the loop writes or commits

    def fetch(self, key: bytes, time_from: int, time_to: int, *, reverse: bool = False) -> Scan[tuple[int, Row]]:
        """The visible rows of a key with time_from <= start <= time_to, both inclusive, by start."""
        first = max(time_from, self._hidden + 1)
        if first > time_to:
            return Scan(iter(()))
        found: dict[int, Row | None] = {start: row for start, _, row in self._committed.rows_of(key, first, time_to)}
        for start in self._dirty_starts.between(first, time_to + 1):
            row = self.dirty[start].get(key, MISSING)
            if row is not MISSING:
                found[start] = row
        starts = sorted(found, reverse=reverse)
        return Scan(iter([(start, row) for start in starts if (row := found[start]) is not None]))

    def fetch_keys(
        self, key_from: bytes | None, key_to: bytes | None, time_from: int, time_to: int, *, reverse: bool = False
    ) -> Scan[WindowRow]:
        """Visible rows with key_from <= key <= key_to (None: open) and time_from <= start <= time_to: by segment, then
        key, then start."""
        first, last = max(time_from, self._hidden + 1), min(time_to, LARGEST_TIME)
        local_key, lowest = self._segments.local_key, key_from or b""
        changes: list[Change] = [
            (local_key(key, start, 0), row)
            for start in self._dirty_starts.between(first, last + 1)
            for key, row in self.dirty[start].items()
            if lowest <= key and (key_to is None or key <= key_to)
        ]
        changes.sort(key=itemgetter(0), reverse=reverse)
        return windowed(self._committed.scan(first, last, key_from, key_to, changes, reverse=reverse))

    def fetch_all(self, time_from: int, time_to: int, *, reverse: bool = False) -> Scan[WindowRow]:
        """Visible rows of all keys with time_from <= start <= time_to: by segment, then key, then start."""
        return self.fetch_keys(None, None, time_from, time_to, reverse=reverse)

    def all(self, *, reverse: bool = False) -> Scan[WindowRow]:
        """All visible rows: by segment, then key, then start."""
        return self.fetch_all(0, LARGEST_TIME, reverse=reverse)

    def approximate_entries(self) -> int:
        """About how many rows there are, hidden ones that are not deleted yet included."""
        return self._committed.approximate_entries() + self.dirty_rows()

    def reader(self) -> WindowReader:
        """Committed rows only, for any thread."""
        return self._committed

    # For the task state

    def freeze(self) -> Iterator[ChangelogRecord]:
        """Encodes the dirty rows and decides what expires; the next commit writes and deletes just that.

        Rows written from now on stay dirty. The tombstones are read from the table as they are asked for, so ask
        before the commit.
        """
        self.advance(self._time)
        encode = self.spec.codec.encode
        frozen: list[tuple[int, list[ChangelogRecord]]] = []
        rows_of = {start: rows.copy() for start, rows in self.dirty.items()}
        key = b""
        for start, rows in rows_of.items():
            if start < 0:
                raise StoreError(
                    f"store {self.name!r}: window start {start} is negative; starts are ms since the epoch"
                )
            suffix = WINDOW_KEYS.suffix.pack(start, 0)
            records: list[ChangelogRecord] = []
            add = records.append
            tombstone_time = max(self._time, 0)
            try:
                for key, row in rows.items():
                    window = key + suffix
                    add(as_record((window, None, tombstone_time) if row is None else (window, encode(row[0]), row[1])))
            except Exception as error:
                raise RowEncodeError(self.name, key, error) from error
            frozen.append((start, records))
        self._freeze_time()
        self._frozen_rows, self._frozen = rows_of, frozen
        return chain(chain.from_iterable(records for _, records in frozen), self._tombstones())

    @property
    def is_frozen(self) -> bool:
        """Whether the next commit writes what an earlier `freeze` gave out."""
        return self._frozen_rows is not None

    def thaw(self) -> None:
        """Forgets the frozen rows; they are dirty as before."""
        self._frozen_rows, self._frozen = None, ()

    def write(self, writer: Writer) -> None:
        """Writes the frozen rows, frozen now unless `freeze` was called before."""
        if self._frozen_rows is None:
            self.freeze()
        self._expire(writer)
        put, delete, pack = writer.put, writer.delete, TIMESTAMP.pack
        for start, records in self._frozen:
            segment = segment_prefix(start // self._segments.segment_ms)
            for key, value, timestamp in records:
                if value is None:
                    delete(segment + key)
                else:
                    put(segment + key, pack(timestamp) + value)

    def written(self, encoded_bytes: int) -> None:
        """The frozen rows are committed: they become clean."""
        committed = self._frozen_rows or {}
        self._expired(start for start, rows in committed.items() if rows)
        later = {start: unwritten(rows, committed.get(start)) for start, rows in self.dirty.items()}
        self._forget_dirty()
        self.dirty.update((start, rows) for start, rows in later.items() if rows)
        self.clean.absorb(
            {(key, start): row for start, rows in committed.items() for key, row in rows.items()}, encoded_bytes
        )

    def discard(self) -> None:
        self._forget_dirty()
        self.clean.clear()
        self._take_time_back()

    def restored(self) -> None:
        super().restored()
        self.clean.clear()

    def dirty_rows(self) -> int:
        return sum(map(len, self.dirty.values()))

    def dirty_bytes(self) -> int:
        """Estimated memory of the dirty rows; now and then weighs a few of them."""
        count = self.dirty_rows()
        if count > 2 * self._weighed:
            self._weighed = count
            newest = next(rows for rows in reversed(self.dirty.values()) if rows)
            last = islice(reversed(newest.items()), SAMPLE_ROWS)
            self.clean.weigh([encoded_bytes(self.spec, key, row) for key, row in last])
        return count * self.clean.row_bytes

    def _forget_dirty(self) -> None:
        self.dirty.clear()
        self._dirty_starts.clear()
        self.thaw()
        self._weighed = 0


def unwritten(rows: dict[bytes, Row | None], committed: dict[bytes, Row | None] | None) -> dict[bytes, Row | None]:
    """The rows that were set since the copy `committed` was made."""
    if committed is None:
        return rows
    if len(rows) == len(committed) and all(map(is_, rows.values(), committed.values())):
        return {}
    return {key: row for key, row in rows.items() if committed.get(key, MISSING) is not row}
