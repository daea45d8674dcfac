"""The rows of a store as JSON, by the store's own types."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from stores import BufferSpec, KeyValueReader, SessionReader, StoreReader, VersionedReader, WindowReader
from streams.plan.plan import StorePlan
from streams.query.finding import Found, scan
from streams.query.keys import jsonable, otherwise
from streams.query.scope import Mark, Scope

Marked = tuple[Mark, dict[str, Any]]
"""A row, and how a page that ends with it says so."""


class Rows:
    """Reads committed rows of one store, whatever partition's reader it is given. May be used by any thread.

    Its methods raise StoreClosedError when the partition goes to another worker meanwhile, RowDecodeError.
    """

    def __init__(self, plan: StorePlan) -> None:
        self.plan = plan
        self._read_key = plan.key_serde.deserialize
        self._present = plan.present
        self._encode: Callable[[Any], bytes] = msgspec.json.Encoder(enc_hook=otherwise).encode

    def json(self, row: dict[str, Any]) -> bytes:
        try:
            return self._encode(row)
        except (TypeError, ValueError):
            return self._encode({name: jsonable(value) for name, value in row.items()})

    # -- one row -----------------------------------------------------------------------------------------------------
    def get(self, reader: StoreReader, key: bytes) -> dict[str, Any] | None:
        """The row of a key in a store that has one for each; of a versioned store the latest."""
        assert isinstance(reader, KeyValueReader | VersionedReader)
        row = reader.get(key)
        return None if row is None else self._plain(key, row)

    def as_of(self, reader: StoreReader, key: bytes, time: int) -> dict[str, Any] | None:
        """The version that was valid at `time`."""
        assert isinstance(reader, VersionedReader)
        row = reader.as_of(key, time)
        return None if row is None else self._plain(key, row)

    def at(self, reader: StoreReader, key: bytes, start: int, end: int | None) -> dict[str, Any] | None:
        """The window that starts then; the session of exactly these bounds."""
        if isinstance(reader, SessionReader):
            row = reader.get(key, start, start if end is None else end)
            return None if row is None else self._session(key, start if end is None else end, start, row)
        assert isinstance(reader, WindowReader)
        row = reader.get(key, start)
        return None if row is None else self._window(key, start, row)

    # -- many --------------------------------------------------------------------------------------------------------
    def scan(self, reader: StoreReader, scope: Scope, after: Mark | None) -> Iterator[Marked]:
        """The rows of the scope behind `after`, in the order of the store."""
        for found in scan(reader, scope, after):
            yield found.mark, self._form(found)

    def change(self, key: bytes, time: int, rank: int, value: bytes | None, timestamp: int) -> dict[str, Any]:
        """A record of the store's changelog as a row; of a deleted one the value is null."""
        spec = self.plan.spec
        assert not isinstance(spec, BufferSpec)
        row: Any = None if value is None else spec.codec.decode(value)
        if self.plan.kind == "window":
            return self._window(key, time, (row, timestamp))
        if self.plan.kind == "session":
            return self._session(key, time, rank, (row, timestamp))
        return self._plain(key, (row, timestamp))

    # -- forms -------------------------------------------------------------------------------------------------------
    def _form(self, found: Found) -> dict[str, Any]:
        key, row = found.key, (found.value, found.timestamp)
        if self.plan.kind == "window":
            return self._window(key, found.time, row)
        if self.plan.kind == "session":
            return self._session(key, found.time, found.rank, row)
        if found.valid_to is None:
            return self._plain(key, row)
        return self._plain(key, row) | {"valid_to": None if found.valid_to < 0 else found.valid_to}

    def _plain(self, key: bytes, row: tuple[Any, int]) -> dict[str, Any]:
        return {"key": self._read_key(key), "value": self._seen(row[0]), "timestamp": row[1]}

    def _window(self, key: bytes, start: int, row: tuple[Any, int]) -> dict[str, Any]:
        return {
            "key": self._read_key(key),
            "start": start,
            "end": self.plan.end_of(start),
            "value": self._seen(row[0]),
            "timestamp": row[1],
        }

    def _session(self, key: bytes, end: int, start: int, row: tuple[Any, int]) -> dict[str, Any]:
        return {
            "key": self._read_key(key),
            "start": start,
            "end": end,
            "value": self._seen(row[0]),
            "timestamp": row[1],
        }

    def _seen(self, value: Any) -> Any:
        return None if value is None else self._present(value)
