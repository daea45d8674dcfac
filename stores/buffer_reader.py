"""What waits in a time buffer as of the last commit, for any thread."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from stores.buffer_keys import INDEX, TOTALS_KEY, split_entry, unpack_values
from stores.errors import RowDecodeError
from stores.key_ranges import after
from stores.scan import Scan, merged
from stores.specs import BufferSpec
from stores.table import Table


class Waiting(NamedTuple):
    """Values that wait for a time in ms under one key, in order of arrival. The natural order is by
    time, then lane, then key."""

    time: int
    lane: int
    key: bytes
    values: tuple[bytes, ...]


class BufferReader:
    """Raises RowDecodeError, StoreClosedError."""

    def __init__(self, spec: BufferSpec, table: Table) -> None:
        self.spec = spec
        self._table = table

    def all(self, *, reverse: bool = False) -> Scan[Waiting]:
        """All that waits: by lane, then time, then key."""
        return self.scan((), reverse=reverse)

    def approximate_entries(self) -> int:
        """The table's estimate of how many entries there are."""
        return self._table.approximate_entries()

    def unpack(self, local: bytes, row: bytes) -> tuple[bytes, ...]:
        """The values of a row. Raises RowDecodeError."""
        try:
            return unpack_values(row)
        except ValueError as error:
            raise RowDecodeError(self.spec.name, local, error) from error

    def scan(self, changes: Sequence[tuple[bytes, tuple[bytes, ...] | None]], *, reverse: bool) -> Scan[Waiting]:
        """As `all`, with changes by table key laid over."""
        cursor = self._table.scan(after(TOTALS_KEY), INDEX, reverse=reverse)
        return Scan(self._entries(merged(self.unpack, cursor, changes, reverse=reverse)), cursor.close)

    def _entries(self, rows: Iterator[tuple[bytes, tuple[bytes, ...]]]) -> Iterator[Waiting]:
        for local, values in rows:
            lane, time, key = split_entry(local)
            yield Waiting(time, lane, key, values)
