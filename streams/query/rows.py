"""The rows of a store as JSON, by the store's own types."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from stores import BufferSpec, KeyValueReader, SessionReader, StoreReader, VersionedReader, WindowReader
from stores.key_ranges import after_prefix
from streams.plan.plan import StorePlan
from streams.query.keys import jsonable, otherwise
from streams.query.scope import Mark, Scope

LAST_TIME = 2**63 - 1

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
        if isinstance(reader, WindowReader | SessionReader):
            return self._timed(reader, scope, after)
        assert isinstance(reader, KeyValueReader | VersionedReader)
        if scope.key is not None and isinstance(reader, VersionedReader):
            return self._versions(reader, scope.key, scope, after)
        return self._by_key(reader, scope, after)

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

    def _by_key(self, reader: KeyValueReader | VersionedReader, scope: Scope, after: Mark | None) -> Iterator[Marked]:
        prefix, reverse = scope.prefix, scope.reverse
        low, high = (scope.first, scope.last) if prefix is None else (prefix, after_prefix(prefix))
        if after is not None:
            low, high = (low, after.key) if reverse else (after.key, high)
        with reader.range(low, high, reverse=reverse) as rows:
            for key, row in rows:
                if (after is None or key != after.key) and (prefix is None or key.startswith(prefix)):
                    yield Mark(key), self._plain(key, row)

    def _timed(self, reader: WindowReader | SessionReader, scope: Scope, after: Mark | None) -> Iterator[Marked]:
        is_session = isinstance(reader, SessionReader)
        first = scope.time_from or 0
        last = LAST_TIME if is_session or scope.time_to is None else scope.time_to
        latest_start = LAST_TIME if scope.time_to is None else scope.time_to
        for key, time, rank, row in self._times(reader, scope, after, first, last):
            if is_session:
                if rank <= latest_start:
                    yield Mark(key, time, rank), self._session(key, time, rank, row)
            else:
                yield Mark(key, time, rank), self._window(key, time, row)

    def _times(
        self, reader: WindowReader | SessionReader, scope: Scope, after: Mark | None, first: int, last: int
    ) -> Iterator[tuple[bytes, int, int, Any]]:
        """(key, time, rank, row): of one key by time, of several by segment, key and time."""
        reverse = scope.reverse
        if scope.key is not None:
            found = reader.rows_of(scope.key, max(first, reader.hidden + 1), last)
            for time, rank, row in reversed(found) if reverse else found:
                if after is None or (
                    (time, rank) < (after.time, after.rank) if reverse else (time, rank) > (after.time, after.rank)
                ):
                    yield scope.key, time, rank, row
            return
        prefix = scope.prefix
        low, high = (scope.first, scope.last) if prefix is None else (prefix, after_prefix(prefix))
        behind = None if after is None else (after.key, after.time, after.rank)
        for key, time, rank, row in reader.resume(behind, first, last, low, high, reverse=reverse):
            if prefix is None or key.startswith(prefix):
                yield key, time, rank, row

    def _versions(self, reader: VersionedReader, key: bytes, scope: Scope, after: Mark | None) -> Iterator[Marked]:
        first, last = scope.time_from or 0, LAST_TIME if scope.time_to is None else scope.time_to
        with reader.versions(key, first, last, reverse=scope.reverse) as versions:
            for value, timestamp, valid_to in versions:
                if after is None or (timestamp < after.time if scope.reverse else timestamp > after.time):
                    row = self._plain(key, (value, timestamp))
                    yield Mark(key, timestamp), row | {"valid_to": None if valid_to < 0 else valid_to}

    # -- forms -------------------------------------------------------------------------------------------------------
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
