"""Key-value stores, plain and timestamped."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, NamedTuple, TypeVar

import stores
from streams.serde import Serde, serde_for
from streams.state.declaration import Moment, StoreDeclaration
from streams.state.entries import Entries

K = TypeVar("K")
V = TypeVar("V")
S = TypeVar("S")


class ValueAndTimestamp(NamedTuple, Generic[V]):
    """A value and its event time, ms since the epoch. Source: `org.apache.kafka.streams.state.ValueAndTimestamp`."""

    value: V
    timestamp: int


class ReadOnlyKeyValueStore(Generic[K, V]):
    """Reads one value per key; scans go in the byte order of serialised keys.

    A value is handed out as the store holds it: change it in place only to `put` it back.
    Source: `org.apache.kafka.streams.state.ReadOnlyKeyValueStore`.
    """

    __slots__ = ("_key", "_read_key", "_rows", "name")

    def __init__(self, rows: stores.KeyValueStore, declaration: StoreDeclaration[Any], moment: Moment) -> None:
        self.name = declaration.name
        self._rows = rows
        self._key = declaration.key.serialize
        self._read_key = declaration.key.deserialize

    def get(self, key: K) -> V | None:
        """The value, None if there is none."""
        row = self._rows.get(self._key(key))
        return None if row is None else self._value_of(row)

    def range(self, first: K | None = None, last: K | None = None) -> Entries[tuple[K, V]]:
        """(key, value) for first <= key <= last, both inclusive, in key order; None leaves an end open."""
        return self._range(first, last, reverse=False)

    def reverse_range(self, first: K | None = None, last: K | None = None) -> Entries[tuple[K, V]]:
        """The same from `last` down to `first`."""
        return self._range(first, last, reverse=True)

    def all(self) -> Entries[tuple[K, V]]:
        """(key, value) of all keys, in key order."""
        return Entries(self._rows.all(), self._entry)

    def reverse_all(self) -> Entries[tuple[K, V]]:
        """(key, value) of all keys, the last first."""
        return Entries(self._rows.all(reverse=True), self._entry)

    def prefix_scan(self, prefix: Any, serde: Serde | type | None = None) -> Entries[tuple[K, V]]:
        """(key, value) of the keys whose bytes begin with those of `prefix`, in key order.

        `serde` writes the prefix; None: the serde of the keys.
        """
        write = self._key if serde is None else serde_for(serde, role="key").serialize
        return Entries(self._rows.prefix(write(prefix)), self._entry)

    def approximate_num_entries(self) -> int:
        return self._rows.approximate_entries()

    def _range(self, first: K | None, last: K | None, *, reverse: bool) -> Entries[tuple[K, V]]:
        start = None if first is None else self._key(first)
        end = None if last is None else self._key(last)
        return Entries(self._rows.range(start, end, reverse=reverse), self._entry)

    def _entry(self, entry: tuple[bytes, Any]) -> tuple[K, V]:
        return self._read_key(entry[0]), self._value_of(entry[1])

    def _value_of(self, row: Any) -> Any:
        return row[0]


class KeyValueStore(ReadOnlyKeyValueStore[K, V]):
    """One value per key. None is no value: to put it deletes.

    Source: `org.apache.kafka.streams.state.KeyValueStore`.
    """

    __slots__ = ("_moment",)

    def __init__(self, rows: stores.KeyValueStore, declaration: StoreDeclaration[Any], moment: Moment) -> None:
        super().__init__(rows, declaration, moment)
        self._moment = moment

    def put(self, key: K, value: V | None) -> None:
        self._rows.put(self._key(key), self._row(value))

    def put_if_absent(self, key: K, value: V | None) -> V | None:
        """Puts the value unless there is one; returns the one there was."""
        row = self._rows.put_if_absent(self._key(key), self._row(value))
        return None if row is None else self._value_of(row)

    def put_all(self, entries: Iterable[tuple[K, V | None]]) -> None:
        for key, value in entries:
            self.put(key, value)

    def delete(self, key: K) -> V | None:
        """Deletes the value and returns it."""
        row = self._rows.delete(self._key(key))
        return None if row is None else self._value_of(row)

    def _row(self, value: Any) -> Any:
        return None if value is None else (value, self._moment.timestamp)


class TimestampedKeyValueStore(KeyValueStore[K, ValueAndTimestamp[V]]):
    """One value and its timestamp per key, as the DSL's tables and aggregations keep them.

    Source: `org.apache.kafka.streams.state.TimestampedKeyValueStore`.
    """

    __slots__ = ()

    def _row(self, value: Any) -> Any:
        return None if value is None or value[0] is None else tuple(value)

    def _value_of(self, row: Any) -> Any:
        return value_and_timestamp(row)


def value_and_timestamp(row: tuple[Any, int]) -> ValueAndTimestamp[Any]:
    return ValueAndTimestamp(*row)
