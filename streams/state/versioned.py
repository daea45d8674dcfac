"""Versioned stores (KIP-889, KIP-914)."""

from __future__ import annotations

from typing import Any, Final, Generic, NamedTuple, TypeVar

import stores
from streams.state.declaration import Moment, StoreDeclaration
from streams.state.entries import Entries

K = TypeVar("K")
V = TypeVar("V")

VALID_FOREVER: Final = -1
"""What `put` returns for a version that is the latest."""
PUT_REJECTED: Final = -(2**63)
"""What `put` returns for a version that is older than the history."""


class VersionedRecord(NamedTuple, Generic[V]):
    """A version: its value and the time it is valid from, ms; `versions` also tells when the next one begins (-1: it is
    the latest). Source: `VersionedRecord`."""

    value: V
    timestamp: int
    valid_to: int | None = None


class ReadOnlyVersionedStore(Generic[K, V]):
    """Reads the versions of each key by time, each valid until the next. Times are ms since the epoch.

    Values are handed out as the store holds them: do not change them in place.
    Source: `org.apache.kafka.streams.state.VersionedKeyValueStore`.
    """

    __slots__ = ("_key", "_rows", "name")

    def __init__(self, rows: stores.VersionedStore, declaration: StoreDeclaration[Any], moment: Moment) -> None:
        self.name = declaration.name
        self._rows = rows
        self._key = declaration.key.serialize

    def get(self, key: K) -> VersionedRecord[V] | None:
        """The latest version, None if there is none or it is a deletion."""
        return self._record(self._rows.get(self._key(key)))

    def as_of(self, key: K, timestamp: int) -> VersionedRecord[V] | None:
        """The version valid at `timestamp`; None if there was none then, or it is older than the history."""
        return self._record(self._rows.as_of(self._key(key), timestamp))

    def versions(self, key: K, time_from: int, time_to: int) -> Entries[VersionedRecord[V]]:
        """The versions valid at some time from `time_from` to `time_to`, both inclusive, the earliest first."""
        return Entries(self._rows.versions(self._key(key), time_from, time_to), self._version)

    def _record(self, row: Any) -> VersionedRecord[Any] | None:
        return None if row is None else VersionedRecord[Any](self._value_of(row[0]), row[1])

    def _version(self, version: Any) -> VersionedRecord[Any]:
        return VersionedRecord[Any](self._value_of(version[0]), version[1], version[2])

    def _value_of(self, value: Any) -> Any:
        return value


class VersionedKeyValueStore(ReadOnlyVersionedStore[K, V]):
    """The versions of each key by time. Source: `org.apache.kafka.streams.state.VersionedKeyValueStore`."""

    __slots__ = ()

    def put(self, key: K, value: V | None, timestamp: int) -> int:
        """Adds a version that is valid from `timestamp`, or replaces that of the same time; None deletes from then on.

        Returns when it ends: `VALID_FOREVER` (-1) if it is the latest, `PUT_REJECTED` if it is older than the history
        and was not put. Raises ValueError for a negative timestamp.
        """
        return self._rows.put(self._key(key), value, timestamp)

    def delete(self, key: K, timestamp: int) -> VersionedRecord[V] | None:
        """Puts None and returns the version that was valid at `timestamp`."""
        return self._record(self._rows.delete(self._key(key), timestamp))
