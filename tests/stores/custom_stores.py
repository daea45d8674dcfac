"""Stores as users could write them: a key-value store on a sorted list, and a board of the largest scores."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator

from stores import ChangelogRecord, CommittedRows, CustomKeyValueStore, CustomStore

Row = tuple[bytes, int]


class SortedStore(CustomKeyValueStore):
    """All rows in memory, their keys in a sorted list."""

    def open(self, rows: CommittedRows) -> None:
        self._rows: dict[bytes, Row] = {key: (value, timestamp) for key, value, timestamp in rows.scan()}
        self._keys = sorted(self._rows)
        self._changed: dict[bytes, None] = {}

    def changes(self) -> Iterable[ChangelogRecord]:
        for key in self._changed:
            value, timestamp = self._rows.get(key, (None, 0))
            yield ChangelogRecord(key, value, timestamp)

    def committed(self) -> None:
        self._changed.clear()

    def get(self, key: bytes) -> Row | None:
        return self._rows.get(key)

    def put(self, key: bytes, row: Row | None) -> None:
        self._changed[key] = None
        if row is None:
            if self._rows.pop(key, None) is not None:
                del self._keys[bisect_left(self._keys, key)]
            return
        if key not in self._rows:
            insort(self._keys, key)
        self._rows[key] = row

    def scan(self, lower: bytes, upper: bytes | None, *, reverse: bool = False) -> Iterator[tuple[bytes, Row]]:
        first = bisect_left(self._keys, lower)
        last = len(self._keys) if upper is None else bisect_left(self._keys, upper)
        found = [(key, self._rows[key]) for key in self._keys[first:last]]
        return iter(found[::-1] if reverse else found)


class Board(CustomStore):
    """The largest score of each player, and who leads."""

    def __init__(self) -> None:
        self.closed = 0

    def open(self, rows: CommittedRows) -> None:
        self._scores = {key.decode(): int(value) for key, value, _ in rows.scan()}
        self._changed: set[str] = set()

    def scored(self, player: str, points: int) -> bool:
        """Whether that is a record of the player's."""
        if points <= self._scores.get(player, -1):
            return False
        self._scores[player] = points
        self._changed.add(player)
        return True

    def leaders(self) -> list[tuple[str, int]]:
        return sorted(self._scores.items(), key=lambda entry: (-entry[1], entry[0]))

    def changes(self) -> Iterable[ChangelogRecord]:
        return [ChangelogRecord(player.encode(), b"%d" % self._scores[player], 0) for player in sorted(self._changed)]

    def committed(self) -> None:
        self._changed.clear()

    def dirty_bytes(self) -> int:
        return 100 * len(self._changed)

    def close(self) -> None:
        self.closed += 1
