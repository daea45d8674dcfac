"""Window stores, plain and timestamped."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import stores
from streams.state.declaration import Moment, StoreDeclaration
from streams.state.entries import Entries
from streams.state.key_value import ValueAndTimestamp, value_and_timestamp
from streams.windowed import Windowed

K = TypeVar("K")
V = TypeVar("V")

FOREVER = 2**63 - 1


class ReadOnlyWindowStore(Generic[K, V]):
    """Reads one value per key and window start (or several, in the order they were put, if it keeps duplicates).

    Times are ms since the epoch, bounds inclusive, keys in the byte order of their serialised form. Windows whose start
    is older than the newest by the retention are gone. Values are handed out as the store holds them: change one in
    place only to `put` it back. Source: `org.apache.kafka.streams.state.ReadOnlyWindowStore`.
    """

    __slots__ = ("_end_of", "_key", "_read_key", "_rows", "name")

    def __init__(self, rows: Any, declaration: StoreDeclaration[Any], moment: Moment) -> None:
        spec = declaration.spec
        assert isinstance(spec, stores.WindowSpec)
        self.name = declaration.name
        self._rows: stores.WindowStore | stores.KeyedWindowStore = rows
        self._key = declaration.key.serialize
        self._read_key = declaration.key.deserialize
        size_ms = spec.size_ms

        def end_of(start: int) -> int:
            return min(start + size_ms, FOREVER)

        self._end_of = declaration.window_end or end_of

    def get(self, key: K, window_start: int) -> V | None:
        """The value of one window, None if there is none; always None in a store that keeps duplicates."""
        row = self._rows.get(self._key(key), window_start)
        return None if row is None else self._value_of(row)

    def fetch(self, key: K, time_from: int, time_to: int) -> Entries[tuple[int, V]]:
        """(window start, value) of a key's windows that start from `time_from` to `time_to`, the earliest first."""
        return Entries(self._rows.fetch(self._key(key), time_from, time_to), self._start_and_value)

    def backward_fetch(self, key: K, time_from: int, time_to: int) -> Entries[tuple[int, V]]:
        """The same, the latest first."""
        return Entries(self._rows.fetch(self._key(key), time_from, time_to, reverse=True), self._start_and_value)

    def fetch_keys(
        self, first: K | None, last: K | None, time_from: int, time_to: int
    ) -> Entries[tuple[Windowed[K], V]]:
        """(windowed key, value) for first <= key <= last, None leaving an end open: by segment of time, key, start."""
        return self._scan(first, last, time_from, time_to, reverse=False)

    def backward_fetch_keys(
        self, first: K | None, last: K | None, time_from: int, time_to: int
    ) -> Entries[tuple[Windowed[K], V]]:
        """The same the other way round."""
        return self._scan(first, last, time_from, time_to, reverse=True)

    def fetch_all(self, time_from: int, time_to: int) -> Entries[tuple[Windowed[K], V]]:
        """(windowed key, value) of all keys, as `fetch_keys` gives them."""
        return self._scan(None, None, time_from, time_to, reverse=False)

    def backward_fetch_all(self, time_from: int, time_to: int) -> Entries[tuple[Windowed[K], V]]:
        """The same the other way round."""
        return self._scan(None, None, time_from, time_to, reverse=True)

    def all(self) -> Entries[tuple[Windowed[K], V]]:
        """(windowed key, value) of all there is, as `fetch_keys` gives them."""
        return self.fetch_all(0, FOREVER)

    def backward_all(self) -> Entries[tuple[Windowed[K], V]]:
        """The same the other way round."""
        return self.backward_fetch_all(0, FOREVER)

    def _scan(
        self, first: K | None, last: K | None, time_from: int, time_to: int, *, reverse: bool
    ) -> Entries[tuple[Windowed[K], V]]:
        lowest = None if first is None else self._key(first)
        highest = None if last is None else self._key(last)
        rows = self._rows.fetch_keys(lowest, highest, time_from, time_to, reverse=reverse)
        return Entries(rows, self._windowed_and_value)

    def _start_and_value(self, entry: tuple[int, Any]) -> tuple[int, V]:
        return entry[0], self._value_of(entry[1])

    def _windowed_and_value(self, entry: tuple[tuple[bytes, int], Any]) -> tuple[Windowed[K], V]:
        (key, start), row = entry
        return Windowed(self._read_key(key), start, self._end_of(start)), self._value_of(row)

    def _value_of(self, row: Any) -> Any:
        return row[0]


class WindowStore(ReadOnlyWindowStore[K, V]):
    """One value per key and window start. Source: `org.apache.kafka.streams.state.WindowStore`."""

    __slots__ = ("_moment",)

    def __init__(self, rows: Any, declaration: StoreDeclaration[Any], moment: Moment) -> None:
        super().__init__(rows, declaration, moment)
        self._moment = moment

    def put(self, key: K, value: V | None, window_start: int) -> None:
        """Sets the value of a window; None deletes it (and does nothing in a store that keeps duplicates).

        A window that is out of retention takes no value. Raises ValueError for a negative start.
        """
        self._rows.put(self._key(key), window_start, self._row(value))

    def _row(self, value: Any) -> Any:
        return None if value is None else (value, self._moment.timestamp)


class TimestampedWindowStore(WindowStore[K, ValueAndTimestamp[V]]):
    """One value and its timestamp per key and window start, as the DSL's windowed aggregations keep them.

    Source: `org.apache.kafka.streams.state.TimestampedWindowStore`.
    """

    __slots__ = ()

    def _row(self, value: Any) -> Any:
        return None if value is None or value[0] is None else tuple(value)

    def _value_of(self, row: Any) -> Any:
        return value_and_timestamp(row)
