"""Finds committed rows of a store, whatever partition's reader it is given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from stores import KeyValueReader, SessionReader, StoreReader, VersionedReader, WindowReader
from stores.key_ranges import after_prefix
from streams.query.scope import Mark, Scope

LAST_TIME = 2**63 - 1


class Found(NamedTuple):
    """A row as its store has it: serialised key, decoded state. `time` is a window's start, a session's end, and when
    a version of a span begins, `rank` a session's start; `valid_to` only of versions of a span (-1: the latest)."""

    key: bytes
    value: Any
    timestamp: int
    time: int = 0
    rank: int = 0
    valid_to: int | None = None

    @property
    def mark(self) -> Mark:
        """How a page that ends with this row says so."""
        return Mark(self.key, self.time, self.rank)


def scan(reader: StoreReader, scope: Scope, after: Mark | None = None) -> Iterator[Found]:
    """The rows of the scope behind `after`, in the order of the store. For any thread.

    Raises StoreClosedError when the partition goes to another worker meanwhile, RowDecodeError.
    """
    if isinstance(reader, WindowReader | SessionReader):
        return _timed(reader, scope, after)
    assert isinstance(reader, KeyValueReader | VersionedReader)
    if scope.key is None:
        return _by_key(reader, scope, after)
    if isinstance(reader, VersionedReader) and (scope.time_from, scope.time_to) != (None, None):
        return _versions(reader, scope.key, scope, after)
    return _latest(reader, scope.key)


def _latest(reader: KeyValueReader | VersionedReader, key: bytes) -> Iterator[Found]:
    row = reader.get(key)
    if row is not None:
        yield Found(key, row[0], row[1])


def _by_key(reader: KeyValueReader | VersionedReader, scope: Scope, after: Mark | None) -> Iterator[Found]:
    prefix, reverse = scope.prefix, scope.reverse
    low, high = (scope.first, scope.last) if prefix is None else (prefix, after_prefix(prefix))
    if after is not None:
        low, high = (low, after.key) if reverse else (after.key, high)
    with reader.range(low, high, reverse=reverse) as rows:
        for key, row in rows:
            if (after is None or key != after.key) and (prefix is None or key.startswith(prefix)):
                yield Found(key, row[0], row[1])


def _timed(reader: WindowReader | SessionReader, scope: Scope, after: Mark | None) -> Iterator[Found]:
    is_session = isinstance(reader, SessionReader)
    first = scope.time_from or 0
    last = LAST_TIME if is_session or scope.time_to is None else scope.time_to
    latest_start = LAST_TIME if scope.time_to is None or not is_session else scope.time_to
    for key, time, rank, row in _times(reader, scope, after, first, last):
        if rank <= latest_start:
            yield Found(key, row[0], row[1], time, rank)


def _times(
    reader: WindowReader | SessionReader, scope: Scope, after: Mark | None, first: int, last: int
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


def _versions(reader: VersionedReader, key: bytes, scope: Scope, after: Mark | None) -> Iterator[Found]:
    first, last = scope.time_from or 0, LAST_TIME if scope.time_to is None else scope.time_to
    with reader.versions(key, first, last, reverse=scope.reverse) as versions:
        for value, timestamp, valid_to in versions:
            if after is None or (timestamp < after.time if scope.reverse else timestamp > after.time):
                yield Found(key, value, timestamp, timestamp, 0, valid_to)
