"""Encoding single rows, with errors that name the store and the key."""

from __future__ import annotations

from stores.errors import RowEncodeError
from stores.row import Row
from stores.specs import KeyValueSpec, SegmentedSpec


def encoded_bytes(spec: KeyValueSpec | SegmentedSpec, key: bytes, row: Row | None) -> int:
    """The size of a row's encoded value, 0 for a deletion. Raises RowEncodeError."""
    if row is None:
        return 0
    try:
        return len(spec.codec.encode(row[0]))
    except Exception as error:
        raise RowEncodeError(spec.name, key, error) from error
