"""The key-value store of bounded size: beyond `max_entries` rows the one that was used least recently goes.

It is in memory. A row that goes is a deletion like any other, in the changelog as well. `get`, `load`, `put` and
`put_if_absent` use a row, scans do not. Generated code writes `dirty` itself; such rows count, as used when they were
first written, at the next commit.

Source: `MemoryLRUCache`. Differs: a discard keeps the order of use, and what restore finds was used in its order there.
"""

from __future__ import annotations

from collections.abc import Sequence

from stores.changelog import ChangelogRecord
from stores.clean import CleanRows
from stores.key_value import KeyValueStore
from stores.row import Row
from stores.specs import KeyValueSpec
from stores.table import Table, Writer


class LruKeyValueStore(KeyValueStore):
    """As `KeyValueStore`."""

    def __init__(self, spec: KeyValueSpec, table: Table, clean: CleanRows[bytes, Row]) -> None:
        super().__init__(spec, table, clean)
        self.max_entries = spec.max_entries or 0
        self._used: dict[bytes, None] = dict.fromkeys(key for key, _ in table.scan(b"", None))

    def load(self, key: bytes) -> Row | None:
        row = super().load(key)
        if row is not None:
            self._use(key)
        return row

    def get(self, key: bytes) -> Row | None:
        row = super().get(key)
        if row is not None:
            self._use(key)
        return row

    def put(self, key: bytes, row: Row | None) -> None:
        """Sets the row; None deletes it."""
        super().put(key, row)
        if row is None:
            self._used.pop(key, None)
        else:
            self._use(key)
            self._evict()

    def approximate_entries(self) -> int:
        """How many rows there are."""
        return len(self._used)

    def freeze(self) -> Sequence[ChangelogRecord]:
        for key, row in self.dirty.items():
            if row is None:
                self._used.pop(key, None)
            else:
                self._used.setdefault(key)
        self._evict()
        return super().freeze()

    def discard(self) -> None:
        super().discard()
        committed = dict.fromkeys(key for key, _ in self._table.scan(b"", None))
        self._used = {key: None for key in self._used if key in committed} | committed

    def restore(self, records: Sequence[tuple[bytes, bytes | None, int]], writer: Writer) -> None:
        super().restore(records, writer)
        for key, value, _ in records:
            self._used.pop(key, None)
            if value is not None:
                self._used[key] = None

    def _use(self, key: bytes) -> None:
        self._used.pop(key, None)
        self._used[key] = None

    def _evict(self) -> None:
        while len(self._used) > self.max_entries:
            oldest = next(iter(self._used))
            del self._used[oldest]
            self.dirty[oldest] = None
