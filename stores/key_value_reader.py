"""Committed rows of a key-value store, for any thread."""

from __future__ import annotations

from stores.errors import RowDecodeError
from stores.key_ranges import KeyRanges
from stores.row import Row, row_decoder
from stores.scan import Scan, merged_rows
from stores.specs import CustomSpec, KeyValueSpec
from stores.table import Table


class KeyValueReader(KeyRanges):
    """Reads as of the last commit; each scan sees one moment. Values are decoded anew, so nobody shares them."""

    def __init__(self, spec: KeyValueSpec | CustomSpec, table: Table) -> None:
        self.spec = spec
        self.decode_row = row_decoder(spec.codec)
        self._table = table

    def get(self, key: bytes) -> Row | None:
        """The row, None if there is none. Raises RowDecodeError, StoreClosedError."""
        local = self._table.get(key)
        return None if local is None else self.decode(key, local)

    def approximate_entries(self) -> int:
        """The table's estimate of how many rows there are."""
        return self._table.approximate_entries()

    def decode(self, key: bytes, local: bytes) -> Row:
        """A row from its local form. Raises RowDecodeError naming the key."""
        try:
            return self.decode_row(local)
        except Exception as error:
            raise RowDecodeError(self.spec.name, key, error) from error

    def _scan(self, lower: bytes, upper: bytes | None, reverse: bool) -> Scan[tuple[bytes, Row]]:
        cursor = self._table.scan(lower, upper, reverse=reverse)
        return Scan(merged_rows(self.spec.name, self.decode_row, cursor, (), reverse=reverse), cursor.close)
