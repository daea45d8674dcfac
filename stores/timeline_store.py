"""Rows of each key in order of time: what session stores and window stores accessed by key have in common.

    read   open ── unknown ──> clean recent ── unknown ──> clean older ── unknown ──> segments, decoded
    write  open, dirty
    commit dirty ──encoded──> changelog records, table; then open ──> clean

The unit of reading is a timeline: the rows of one key from some time on. It is loaded down to the segment of the oldest
time that was asked for, and holds dirty rows as well as clean ones. Timelines of keys that were written since the last
commit are `open`: the clean rows may let go of a timeline at any time, and a dirty row must not be lost with it.

A key that memory has no timeline of has no rows newer than those it has ever let go of, so the first record of a key
costs no look into the segments: only older times do.

Time, hiding and expiry are those of every store with retention (see `stores.segmented_store`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from operator import itemgetter

from stores.changelog import ChangelogRecord, as_record
from stores.clean import DECODED_FACTOR, OVERHEAD_BYTES, SAMPLE_ROWS, CleanRows
from stores.encoding import encoded_bytes
from stores.errors import RowEncodeError
from stores.row import MISSING, TIMESTAMP, Row
from stores.scan import Change, Scan
from stores.segmented_store import SegmentedStore
from stores.specs import SegmentedSpec
from stores.table import Writer
from stores.timed_keys import LARGEST_TIME
from stores.timed_reader import TimedReader
from stores.timeline import Timeline

Identity = tuple[bytes, int, int]
"""(key, time, rank)."""

DirtyRows = dict[Identity, Row | None]


class TimelineStore(SegmentedStore):
    """Owned by the thread that runs the task.

    `dirty`: rows written since the last commit, None for a deleted one.
    """

    def __init__(
        self, spec: SegmentedSpec, committed: TimedReader, clean: CleanRows[bytes, Timeline], time: int
    ) -> None:
        super().__init__(spec, committed, time)
        self.dirty: DirtyRows = {}
        self.clean = clean
        self._spec = spec
        self._open: dict[bytes, Timeline] = {}
        self._new: set[Identity] = set()  # dirty rows of which the table knows nothing: a deletion leaves no trace
        self._recent = clean.recent.get
        self._frozen_rows: DirtyRows | None = None
        self._frozen: Sequence[tuple[int, ChangelogRecord]] = ()
        self._weighed = 0
        self._row_bytes = clean.row_bytes
        self._let_all_go()

    # Timelines

    def timeline(self, key: bytes, first: int) -> Timeline:
        """The rows of a key, all those with time >= `first` among them. To be read before the next call, not changed.

        Raises RowDecodeError, StoreClosedError.
        """
        line = self._open.get(key)
        if line is None:
            line = self._recent(key)
            if line is None:
                line = self.clean.revive(key)
                if line is MISSING or line is None:
                    line = Timeline()
                    line.since = self._unknown_since()
        if line.since > first:
            self._extend(key, line, first)
        rows = line.rows
        if rows and rows[0][0] <= self._hidden:
            line.forget(self._hidden)
        return line

    def set_row(self, key: bytes, time: int, rank: int, row: Row) -> None:
        """Sets a row; it is ignored where it would be hidden."""
        if time <= self._hidden:
            return
        line = self._open.get(key)
        if line is None or line.since > time:
            line = self._open[key] = self.timeline(key, time)
        identity = key, time, rank
        if not line.set(time, rank, row) and identity not in self.dirty:
            self._new.add(identity)
        self.dirty[identity] = row

    def remove_row(self, key: bytes, time: int, rank: int) -> Row | None:
        """Deletes a row and returns it."""
        if time <= self._hidden:
            return None
        line = self.timeline(key, time)
        row = line.remove(time, rank)
        if row is not None:
            self._open[key] = line
            identity = key, time, rank
            if identity in self._new:
                self._new.remove(identity)
                del self.dirty[identity]
            else:
                self.dirty[identity] = None
        return row

    def rows_of(self, key: bytes, first: int, last: int) -> list[tuple[int, int, Row]]:
        """(time, rank, row) of a key's visible rows with first <= time <= last."""
        if first <= self._hidden:
            first = self._hidden + 1
        if first > last:
            return []
        line = self._open.get(key)
        if line is None or line.since > first:
            line = self.timeline(key, first)
        return line.between(first, last)

    def scan(
        self, first: int, last: int, key_from: bytes | None, key_to: bytes | None, *, reverse: bool
    ) -> Scan[tuple[bytes, int, int, Row]]:
        """Visible rows with first <= time <= last and key_from <= key <= key_to: by segment, then key, time, rank.

        Dirty rows included, unmoved by what the loop writes or commits.
        """
        first, last = max(first, self._hidden + 1), min(last, LARGEST_TIME)
        local_key, lowest = self._segments.local_key, key_from or b""
        changes: list[Change] = [
            (local_key(key, time, rank), row)
            for (key, time, rank), row in self.dirty.items()
            if first <= time <= last and lowest <= key and (key_to is None or key <= key_to)
        ]
        changes.sort(key=itemgetter(0), reverse=reverse)
        return self._reader.scan(first, last, key_from, key_to, changes, reverse=reverse)

    def approximate_entries(self) -> int:
        """About how many rows there are, hidden ones that are not deleted yet included."""
        return self._reader.approximate_entries() + len(self.dirty)

    # For the task state

    def freeze(self) -> Iterator[ChangelogRecord]:
        """Encodes the dirty rows and decides what expires; the next commit writes and deletes just that.

        Rows written from now on stay dirty. The tombstones are read from the table as they are asked for, so ask
        before the commit.
        """
        encode, pack = self._spec.codec.encode, self._segments.keys.suffix.pack
        rows = self.dirty.copy()
        frozen: list[tuple[int, ChangelogRecord]] = []
        add, hidden, tombstone_time = frozen.append, self._hidden, max(self._time, 0)
        deleted_to = self._freeze_time() * self._segments.segment_ms
        key = b""
        try:
            for (key, time, rank), row in rows.items():
                if row is not None:
                    if time > hidden:
                        add((time, as_record((key + pack(time, rank), encode(row[0]), row[1]))))
                elif time >= deleted_to:
                    add((time, as_record((key + pack(time, rank), None, tombstone_time))))
        except Exception as error:
            raise RowEncodeError(self.name, key, error) from error
        self._new.clear()
        self._frozen_rows, self._frozen = rows, frozen
        return chain(map(itemgetter(1), frozen), self._tombstones())

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
        put, delete, pack, local_of = writer.put, writer.delete, TIMESTAMP.pack, self._segments.local_of
        for time, (key, value, timestamp) in self._frozen:
            local = local_of(time, key)
            if value is None:
                delete(local)
            else:
                put(local, pack(timestamp) + value)

    def written(self, encoded_bytes: int) -> None:
        """The frozen rows are committed: they become clean."""
        committed = self._frozen_rows or {}
        times = [time for time, record in self._frozen if record.value is not None]
        self._expired(times)
        if times:
            self.clean.newest = max(self.clean.newest, max(times))
        later = {each: row for each, row in self.dirty.items() if committed.get(each, MISSING) is not row}
        lines, keys_written = self._open.copy(), {key for key, _, _ in later}
        new = self._new.copy()
        self._forget_dirty()
        self.dirty.update(later)
        self._new.update(new)
        self._open.update((key, lines[key]) for key in keys_written)
        if lines:
            rows = sum(len(line.rows) for line in lines.values())
            self.clean.absorb(lines, encoded_bytes * rows // max(len(committed), 1))

    def discard(self) -> None:
        self._forget_dirty()
        self.clean.clear()
        self._take_time_back()

    def restored(self) -> None:
        super().restored()
        self._let_all_go()

    def dirty_rows(self) -> int:
        return len(self.dirty)

    def dirty_bytes(self) -> int:
        """Estimated memory of the dirty rows; now and then weighs a few of them."""
        count = len(self.dirty)
        if count > 2 * self._weighed:
            self._weighed = count
            last = list(islice(reversed(self.dirty.items()), SAMPLE_ROWS))
            size = sum(encoded_bytes(self._spec, key, row) for (key, _, _), row in last)
            self._row_bytes = OVERHEAD_BYTES + DECODED_FACTOR * size // len(last)
        return count * self._row_bytes

    def _unknown_since(self) -> int:
        """From what time on a key has no rows that memory knows nothing of."""
        return self.clean.lost + 1

    def _let_all_go(self) -> None:
        """Nothing of what is committed is in memory."""
        self.clean.newest = (self._segments.last + 1) * self._segments.segment_ms - 1
        self.clean.clear()

    def _extend(self, key: bytes, line: Timeline, first: int) -> None:
        """Loads a timeline down to the segment of `first`."""
        since = max(first, 0) // self._segments.segment_ms * self._segments.segment_ms
        line.extend(self._reader.rows_of(key, max(since, self._hidden + 1), line.since - 1), min(since, first))
        self._keep_clean(key, line)

    def _keep_clean(self, key: bytes, line: Timeline) -> None:
        self.clean.insert(key, line, len(line.rows) * (self._row_bytes - OVERHEAD_BYTES) // DECODED_FACTOR)

    def _forget_dirty(self) -> None:
        self.dirty.clear()
        self._open.clear()
        self._new.clear()
        self.thaw()
        self._weighed = 0
