"""The key-value store: committed rows below, dirty rows above, clean copies beside them.

    read   dirty ── unknown ──> clean recent ── unknown ──> clean older ── unknown ──> table, decoded
    write  dirty
    commit dirty ──encoded──> changelog records, table; then dirty ──> clean

Generated code reads and writes `dirty` itself and calls `load` for a key it does not find there. Rows are handed out
as they are, not copied: a value that an aggregator changes in place is the changed value for later readers too, and
`discard` therefore drops the clean rows with the dirty ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from operator import is_

from stores.changelog import ChangelogRecord, as_record
from stores.clean import SAMPLE_ROWS, CleanRows
from stores.encoding import encoded_bytes
from stores.errors import RowEncodeError
from stores.key_ranges import KeyRanges
from stores.key_value_reader import KeyValueReader
from stores.row import MISSING, TIMESTAMP, Row
from stores.scan import Change, Scan, merged_rows
from stores.sorted_keys import DirtyKeys
from stores.specs import KeyValueSpec
from stores.table import Table, Writer


class KeyValueStore(KeyRanges):
    """One row per key, keys in byte order. Owned by the thread that runs the task; others use `reader()`.

    `dirty`: rows written since the last commit, None for a deleted one. The dict keeps its identity; entries are
    overwritten but never removed, except by this package. `load` is only for keys that are not in `dirty`.
    """

    def __init__(self, spec: KeyValueSpec, table: Table, clean: CleanRows[bytes, Row]) -> None:
        self.spec = spec
        self.name = spec.name
        self.dirty: dict[bytes, Row | None] = {}
        self._table = table
        self._committed = KeyValueReader(spec, table)
        self.clean = clean
        self._recent = clean.recent.get
        self._dirty_keys: DirtyKeys[bytes, Row | None] = DirtyKeys(self.dirty)
        self._frozen_rows: dict[bytes, Row | None] | None = None
        self._frozen: Sequence[ChangelogRecord] = ()
        self._weighed = 0

    # Rows by key

    def load(self, key: bytes) -> Row | None:
        """The committed row of a key that is not in `dirty`. Raises RowDecodeError, StoreClosedError."""
        row = self._recent(key, MISSING)
        if row is not MISSING:
            return row
        clean = self.clean
        row = clean.revive(key)
        if row is not MISSING:
            return row
        local = self._table.get(key)
        row = None if local is None else self._committed.decode(key, local)
        clean.insert(key, row, 0 if local is None else len(local))
        return row

    def get(self, key: bytes) -> Row | None:
        """The row, None if there is none."""
        row = self.dirty.get(key, MISSING)
        return self.load(key) if row is MISSING else row

    def put(self, key: bytes, row: Row | None) -> None:
        """Sets the row; None deletes it."""
        if type(key) is not bytes:
            raise TypeError(f"store {self.name!r}: keys are bytes, got {type(key).__name__}: serialise the key first")
        self.dirty[key] = row

    def put_if_absent(self, key: bytes, row: Row | None) -> Row | None:
        """Sets the row unless there is one; returns the row there was."""
        present = self.get(key)
        if present is None:
            self.put(key, row)
        return present

    def delete(self, key: bytes) -> Row | None:
        """Deletes the row and returns it."""
        present = self.get(key)
        self.put(key, None)
        return present

    def approximate_entries(self) -> int:
        """About how many rows there are: the table's estimate plus the dirty rows, some of which replace others."""
        return self._committed.approximate_entries() + len(self.dirty)

    def reader(self) -> KeyValueReader:
        """Committed rows only, for any thread."""
        return self._committed

    # Scans: dirty rows included, unmoved by what the loop writes or commits

    def _scan(self, lower: bytes, upper: bytes | None, reverse: bool) -> Scan[tuple[bytes, Row]]:
        dirty = self.dirty
        changes: list[Change] = [(key, dirty[key]) for key in self._dirty_keys.between(lower, upper)]
        if reverse:
            changes.reverse()
        cursor = self._table.scan(lower, upper, reverse=reverse)
        rows = merged_rows(self.name, self._committed.decode_row, cursor, changes, reverse=reverse)
        return Scan(rows, cursor.close)

    # For the task state

    def freeze(self) -> Sequence[ChangelogRecord]:
        """Encodes the dirty rows; the next commit writes these, and rows written from now on stay dirty."""
        encode = self.spec.codec.encode
        records: list[ChangelogRecord] = []
        add = records.append
        rows = self.dirty.copy()
        key = b""
        try:
            for key, row in rows.items():
                add(as_record((key, None, 0) if row is None else (key, encode(row[0]), row[1])))
        except Exception as error:
            raise RowEncodeError(self.name, key, error) from error
        self._frozen_rows, self._frozen = rows, records
        return records

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
        put, delete, pack = writer.put, writer.delete, TIMESTAMP.pack
        for key, value, timestamp in self._frozen:
            if value is None:
                delete(key)
            else:
                put(key, pack(timestamp) + value)

    @property
    def frozen_time(self) -> int | None:
        """The clock that goes with the frozen rows, or with those of `restore`; None without a clock."""
        return None

    def written(self, encoded_bytes: int) -> None:
        """The frozen rows are committed: they become clean."""
        committed = self._frozen_rows or {}
        self.thaw()
        dirty = self.dirty
        if len(dirty) == len(committed) and all(map(is_, dirty.values(), committed.values())):
            dirty.clear()
        else:  # written to since the freeze: what is new stays dirty
            later = {key: row for key, row in dirty.items() if committed.get(key, MISSING) is not row}
            dirty.clear()
            dirty.update(later)
        self._dirty_keys.clear()
        self._weighed = 0
        self.clean.absorb(committed, encoded_bytes)

    def discard(self) -> None:
        self.dirty.clear()
        self._dirty_keys.clear()
        self.thaw()
        self._weighed = 0
        self.clean.clear()

    def restore(self, records: Sequence[tuple[bytes, bytes | None, int]], writer: Writer) -> None:
        """Writes changelog records as rows."""
        put, delete, pack = writer.put, writer.delete, TIMESTAMP.pack
        for key, value, timestamp in records:
            if value is None:
                delete(key)
            else:
                put(key, pack(timestamp) + value)

    def restored(self) -> None:
        self.clean.clear()

    def dirty_rows(self) -> int:
        return len(self.dirty)

    def dirty_bytes(self) -> int:
        """Estimated memory of the dirty rows; now and then weighs a few of them."""
        count = len(self.dirty)
        if count > 2 * self._weighed:
            self._weighed = count
            last = islice(reversed(self.dirty.items()), SAMPLE_ROWS)
            self.clean.weigh([encoded_bytes(self.spec, key, row) for key, row in last])
        return count * self.clean.row_bytes
