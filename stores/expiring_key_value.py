"""The key-value store whose rows expire: a row is gone once `expire_after_ms` have passed since its timestamp.

Rows with timestamp <= clock - expire_after_ms are hidden from reads at once. They are deleted later, with tombstones in
the changelog: each commit looks through the next stretch of the table, round and round, at least as long as what it
writes, so that deletion keeps up with growth and needs no index by time. The clock is committed with the rows.

Kafka Streams has nothing of the kind; its users write such punctuators themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from stores.changelog import ChangelogRecord
from stores.clean import CleanRows
from stores.key_value import KeyValueStore
from stores.key_value_reader import KeyValueReader
from stores.row import TIMESTAMP, Row
from stores.scan import Scan
from stores.specs import KeyValueSpec
from stores.table import Table, Writer

LEAST_SWEEP_ROWS: Final = 500


class ExpiringReader(KeyValueReader):
    """Reads as of the last commit; rows that had expired by then never come out. The store moves `hidden`."""

    hidden = -1

    def get(self, key: bytes) -> Row | None:
        return visible(super().get(key), self.hidden)

    def _scan(self, lower: bytes, upper: bytes | None, reverse: bool) -> Scan[tuple[bytes, Row]]:
        return only_visible(super()._scan(lower, upper, reverse), self.hidden)


class ExpiringKeyValueStore(KeyValueStore):
    """As `KeyValueStore`. Who reads `dirty` directly compares the row's timestamp with `hidden`; `load` has done so."""

    def __init__(self, spec: KeyValueSpec, table: Table, clean: CleanRows[bytes, Row], time: int) -> None:
        super().__init__(spec, table, clean)
        self.expire_after_ms = spec.expire_after_ms or 0
        self._expiring = self._committed = ExpiringReader(spec, table)
        self._committed_time = self._time = self._frozen_time = time
        self._swept = b""
        self.hidden = self._expiring.hidden = time - self.expire_after_ms
        """Rows with a timestamp up to this one have expired."""

    @property
    def time(self) -> int:
        """The clock, ms; -1 at first."""
        return self._time

    def advance(self, time: int) -> None:
        """Moves the clock, never back."""
        if time > self._time:
            self._time = time
            self.hidden = time - self.expire_after_ms

    def load(self, key: bytes) -> Row | None:
        return visible(super().load(key), self.hidden)

    def get(self, key: bytes) -> Row | None:
        return visible(super().get(key), self.hidden)

    def put(self, key: bytes, row: Row | None) -> None:
        """Sets the row; None deletes it. A row that has expired already is as good as none."""
        super().put(key, row)
        if row is not None and self.spec.follows_puts:
            self.advance(row[1])

    def freeze(self) -> Sequence[ChangelogRecord]:
        hidden, dirty = self.hidden, self.dirty
        for key, row in dirty.items():
            if row is not None and row[1] <= hidden:
                dirty[key] = None
        for key in self._expired(max(LEAST_SWEEP_ROWS, 2 * len(dirty))):
            dirty.setdefault(key, None)
        records = super().freeze()
        self._frozen_time = self._time
        return records

    @property
    def frozen_time(self) -> int:
        """The clock that goes with the frozen rows, or with those of `restore`."""
        return self._frozen_time

    def written(self, encoded_bytes: int) -> None:
        super().written(encoded_bytes)
        self._time_written()

    def discard(self) -> None:
        super().discard()
        self._time = self._committed_time
        self.hidden = self._time - self.expire_after_ms

    def restore(self, records: Sequence[tuple[bytes, bytes | None, int]], writer: Writer) -> None:
        super().restore(records, writer)
        self._frozen_time = self._committed_time
        if self.spec.follows_puts:
            newest = max((timestamp for _, value, timestamp in records if value is not None), default=-1)
            self._frozen_time = max(newest, self._time)

    def restored(self) -> None:
        super().restored()
        self.advance(self._frozen_time)
        self._time_written()

    def _scan(self, lower: bytes, upper: bytes | None, reverse: bool) -> Scan[tuple[bytes, Row]]:
        return only_visible(super()._scan(lower, upper, reverse), self.hidden)

    def _expired(self, rows: int) -> Iterator[bytes]:
        """The keys of expired rows among the next so many in the table."""
        if self.hidden < 0:
            return
        cursor = self._table.scan(self._swept, None)
        looked, key = 0, b""
        for key, local in islice(cursor, rows):
            looked += 1
            if TIMESTAMP.unpack_from(local)[0] <= self.hidden:
                yield key
        cursor.close()
        self._swept = key + b"\x00" if looked == rows else b""

    def _time_written(self) -> None:
        self._committed_time = self._frozen_time
        self._expiring.hidden = self._frozen_time - self.expire_after_ms


def visible(row: Row | None, hidden: int) -> Row | None:
    """The row, None if it has expired."""
    return None if row is None or row[1] <= hidden else row


def only_visible(rows: Scan[tuple[bytes, Row]], hidden: int) -> Scan[tuple[bytes, Row]]:
    """A scan without the rows that have expired."""
    return Scan(_visible(rows, hidden), rows.close)


def _visible(rows: Scan[tuple[bytes, Row]], hidden: int) -> Iterator[tuple[bytes, Row]]:
    for key, row in rows:
        if row[1] > hidden:
            yield key, row
