"""Versions of a key, and the committed ones for any thread."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from stores.codec import ValueCodec
from stores.key_ranges import KeyRanges
from stores.row import Row
from stores.scan import Change, Scan, merged_rows
from stores.specs import VersionedSpec
from stores.timed_keys import HEAD_BYTES, LARGEST_TIME
from stores.timed_reader import TimedReader, TimedRow
from stores.version_segments import VersionSegments

LATEST: Final = -1
"""The end of a version that no other has followed yet."""


class Version(NamedTuple):
    """A value, valid for timestamp <= time < valid_to in ms; `valid_to` is -1 for the latest."""

    value: Any
    timestamp: int
    valid_to: int


def versions_codec(codec: ValueCodec) -> ValueCodec:
    """A codec of values and of None, which is the value of a deletion's row: b"" for None, else b"\\x01" + value."""
    encode_value, decode_value = codec.encode, codec.decode

    def encode(value: Any) -> bytes:
        return b"" if value is None else b"\x01" + encode_value(value)

    def decode(local: bytes) -> Any:
        return decode_value(local[1:]) if local else None

    return ValueCodec(encode, decode)


class VersionedReader(KeyRanges, TimedReader):
    """Reads as of the last commit, of several keys the latest versions. Values are decoded anew: nobody shares them.

    Raises RowDecodeError, StoreClosedError.
    """

    def __init__(self, spec: VersionedSpec, segments: VersionSegments) -> None:
        super().__init__(spec.name, versions_codec(spec.codec), segments)
        self._versions = segments
        self.spec = spec

    def get(self, key: bytes) -> Row | None:
        """The latest (value, timestamp), None if there is none or it is a deletion."""
        return self.row(key, LARGEST_TIME, 0)

    def as_of(self, key: bytes, time: int) -> Row | None:
        """(value, timestamp) of the version valid at `time`. Beyond the history only the latest version answers."""
        latest = self.get(key)
        if latest is not None and latest[1] <= time:
            return latest
        return None if time < self.hidden else valid_at(self.rows_of(key, time + 1, LARGEST_TIME - 1), time)

    def versions(self, key: bytes, time_from: int, time_to: int, *, reverse: bool = False) -> Scan[Version]:
        """The versions of a key that were valid at some time from `time_from` to `time_to`, both inclusive, by time."""
        rows = self.rows_of(key, max(time_from, self.hidden) + 1, LARGEST_TIME - 1)
        latest = self.get(key)
        if latest is not None:
            rows.append((LARGEST_TIME, 0, latest))
        return valid_between(rows, time_from, time_to, reverse=reverse)

    def _scan(self, lower: bytes, upper: bytes | None, reverse: bool) -> Scan[tuple[bytes, Row]]:
        cursor = self._versions.scan_latest(lower, upper, reverse=reverse)
        rows = merged_rows(self._store, self.decode_row, cursor, (), reverse=reverse)
        return Scan(by_key(rows), cursor.close)

    def latest(self, changes: Sequence[Change], *, reverse: bool) -> Scan[tuple[bytes, Row]]:
        """As `all`, with changes of the latest versions laid over, which are by table key."""
        cursor = self._versions.scan_latest(reverse=reverse)
        rows = merged_rows(self._store, self.decode_row, cursor, changes, reverse=reverse)
        return Scan(by_key(rows), cursor.close)


def valid_at(rows: list[TimedRow], time: int) -> Row | None:
    """The row among (valid_to, rank, (value, timestamp)) that is valid at `time`; deletions are valid never."""
    at = bisect_left(rows, (time + 1,))
    if at < len(rows) and rows[at][2][1] <= time and rows[at][2][0] is not None:
        return rows[at][2]
    return None


def valid_between(rows: list[TimedRow], time_from: int, time_to: int, *, reverse: bool) -> Scan[Version]:
    """Rows of one key, as `versions` gives them."""
    found = [
        Version(value, timestamp, LATEST if valid_to == LARGEST_TIME else valid_to)
        for valid_to, _, (value, timestamp) in rows
        if value is not None and timestamp <= time_to and valid_to > time_from
    ]
    return Scan(iter(found[::-1] if reverse else found))


def by_key(rows: Iterator[tuple[bytes, Row]]) -> Iterator[tuple[bytes, Row]]:
    """Rows under table keys as rows under keys."""
    for local, row in rows:
        yield local[HEAD_BYTES:], row
