"""A table in memory: a dict, with its keys in order for scans."""

from __future__ import annotations

from threading import Lock
from typing import Final

from stores.errors import StoreClosedError
from stores.sorted_keys import SortedKeys
from stores.table import Pair, RowsCursor

Change = tuple[bytes, bytes | None]
"""A put, or with None a deletion."""


class MemoryRows:
    """The bytes themselves; they outlive the table that reads them, as files outlive a database handle."""

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}
        self.keys: SortedKeys[bytes] = SortedKeys()
        self.lock: Final = Lock()

    def apply(self, changes: list[Change]) -> None:
        with self.lock:
            rows = self.rows
            before, after = set[bytes](), set[bytes]()
            for key, _ in changes:
                if key in rows:
                    before.add(key)
            for key, value in changes:
                if value is None:
                    rows.pop(key, None)
                    after.discard(key)
                else:
                    rows[key] = value
                    after.add(key)
            self.keys.remove(before - after)
            self.keys.add(list(after - before))


class MemoryTable:
    """`Table` over `MemoryRows`."""

    def __init__(self, place: str, contents: MemoryRows) -> None:
        self._place = place
        self._contents: MemoryRows | None = contents

    @property
    def contents(self) -> MemoryRows:
        if self._contents is None:
            raise StoreClosedError(self._place)
        return self._contents

    def get(self, key: bytes) -> bytes | None:
        return self.contents.rows.get(key)

    def scan(self, lower: bytes, upper: bytes | None, *, reverse: bool = False) -> RowsCursor:
        contents = self.contents
        with contents.lock:
            keys = contents.keys.between(lower, upper)
            if reverse:
                keys.reverse()
            return RowsCursor([(key, contents.rows[key]) for key in keys])

    def first(self, lower: bytes) -> Pair | None:
        contents = self.contents
        with contents.lock:
            key = contents.keys.first(lower)
            return None if key is None else (key, contents.rows[key])

    def approximate_entries(self) -> int:
        return len(self.contents.rows)

    def figures(self) -> dict[str, int]:
        return {}

    def size_bytes(self) -> int:
        contents = self.contents
        with contents.lock:
            return sum(map(len, contents.rows)) + sum(map(len, contents.rows.values()))

    def close(self) -> None:
        self._contents = None


class MemoryWriter:
    """`Writer` for a `MemoryTable`: remembers the changes until the batch is written."""

    def __init__(self, table: MemoryTable) -> None:
        self._contents = table.contents
        self._changes: list[Change] = []

    def put(self, key: bytes, value: bytes) -> None:
        self._changes.append((key, value))

    def delete(self, key: bytes) -> None:
        self._changes.append((key, None))

    def delete_range(self, begin: bytes, end: bytes) -> None:
        with self._contents.lock:
            doomed = self._contents.keys.between(begin, end)
        self._changes = [change for change in self._changes if not begin <= change[0] < end]
        self._changes.extend((key, None) for key in doomed)

    def size_bytes(self) -> int:
        return sum(len(key) + len(value or b"") for key, value in self._changes)

    def apply(self) -> None:
        self._contents.apply(self._changes)
