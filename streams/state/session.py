"""Session stores."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import stores
from streams.state.declaration import Moment, StoreDeclaration
from streams.state.entries import Entries
from streams.windowed import Windowed

K = TypeVar("K")
V = TypeVar("V")


class ReadOnlySessionStore(Generic[K, V]):
    """Reads one value per key and session; a session is `Windowed(key, start, end)`, both ms and inclusive.

    Sessions whose end is older than the newest by the retention are gone. Values are handed out as the store holds
    them: change one in place only to `put` it back. Source: `org.apache.kafka.streams.state.ReadOnlySessionStore`.
    """

    __slots__ = ("_key", "_read_key", "_rows", "name")

    def __init__(self, rows: stores.SessionStore, declaration: StoreDeclaration[Any], moment: Moment) -> None:
        self.name = declaration.name
        self._rows = rows
        self._key = declaration.key.serialize
        self._read_key = declaration.key.deserialize

    def fetch_session(self, key: K, start: int, end: int) -> V | None:
        """The value of exactly this session, None if there is none."""
        row = self._rows.get(self._key(key), start, end)
        return None if row is None else self._value_of(row)

    def find_sessions(self, key: K, earliest_end: int, latest_start: int) -> Entries[tuple[Windowed[K], V]]:
        """(session, value) of a key's sessions with end >= `earliest_end` and start <= `latest_start`, by end.

        Those that a record at `ts` touches: `find_sessions(key, ts - gap, ts + gap)`.
        """
        return self._find(key, earliest_end, latest_start, reverse=False)

    def backward_find_sessions(self, key: K, earliest_end: int, latest_start: int) -> Entries[tuple[Windowed[K], V]]:
        """The same, the latest first."""
        return self._find(key, earliest_end, latest_start, reverse=True)

    def find_sessions_of_keys(
        self, first: K | None, last: K | None, earliest_end: int, latest_start: int
    ) -> Entries[tuple[Windowed[K], V]]:
        """The same for first <= key <= last, None leaving an end open: by segment of time, key, end."""
        rows = self._rows.find_keys(self._bound(first), self._bound(last), earliest_end, latest_start)
        return Entries(rows, self._entry)

    def backward_find_sessions_of_keys(
        self, first: K | None, last: K | None, earliest_end: int, latest_start: int
    ) -> Entries[tuple[Windowed[K], V]]:
        """The same the other way round."""
        rows = self._rows.find_keys(self._bound(first), self._bound(last), earliest_end, latest_start, reverse=True)
        return Entries(rows, self._entry)

    def fetch(self, key: K) -> Entries[tuple[Windowed[K], V]]:
        """(session, value) of all sessions of a key, by end."""
        return Entries(self._rows.fetch(self._key(key)), self._reader_of(key))

    def backward_fetch(self, key: K) -> Entries[tuple[Windowed[K], V]]:
        """The same, the latest first."""
        return Entries(self._rows.fetch(self._key(key), reverse=True), self._reader_of(key))

    def fetch_keys(self, first: K | None, last: K | None) -> Entries[tuple[Windowed[K], V]]:
        """(session, value) of all sessions of keys from `first` to `last`: by segment of time, key, end."""
        return Entries(self._rows.fetch_keys(self._bound(first), self._bound(last)), self._entry)

    def backward_fetch_keys(self, first: K | None, last: K | None) -> Entries[tuple[Windowed[K], V]]:
        """The same the other way round."""
        return Entries(self._rows.fetch_keys(self._bound(first), self._bound(last), reverse=True), self._entry)

    def all(self) -> Entries[tuple[Windowed[K], V]]:
        """(session, value) of all sessions, as `fetch_keys` gives them."""
        return self.fetch_keys(None, None)

    def backward_all(self) -> Entries[tuple[Windowed[K], V]]:
        """The same the other way round."""
        return self.backward_fetch_keys(None, None)

    def _find(self, key: K, earliest_end: int, latest_start: int, *, reverse: bool) -> Entries[tuple[Windowed[K], V]]:
        rows = self._rows.find(self._key(key), earliest_end, latest_start, reverse=reverse)
        return Entries(rows, self._reader_of(key))

    def _bound(self, key: K | None) -> bytes | None:
        return None if key is None else self._key(key)

    def _reader_of(self, key: K) -> Any:
        def read(entry: tuple[tuple[int, int], Any]) -> tuple[Windowed[K], V]:
            (start, end), row = entry
            return Windowed(key, start, end), self._value_of(row)

        return read

    def _entry(self, entry: tuple[tuple[bytes, int, int], Any]) -> tuple[Windowed[K], V]:
        (key, start, end), row = entry
        return Windowed(self._read_key(key), start, end), self._value_of(row)

    def _value_of(self, row: Any) -> Any:
        return row[0]


class SessionStore(ReadOnlySessionStore[K, V]):
    """One value per key and session. Source: `org.apache.kafka.streams.state.SessionStore`."""

    __slots__ = ("_moment",)

    def __init__(self, rows: stores.SessionStore, declaration: StoreDeclaration[Any], moment: Moment) -> None:
        super().__init__(rows, declaration, moment)
        self._moment = moment

    def put(self, session: Windowed[K], value: V | None) -> None:
        """Sets the value of a session; None removes it. A session that is out of retention takes no value.

        Raises ValueError for a negative start or an end before it.
        """
        row = None if value is None else (value, self._moment.timestamp)
        self._rows.put(self._key(session.key), session.start, session.end, row)

    def remove(self, session: Windowed[K]) -> None:
        self.put(session, None)
