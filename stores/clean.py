"""Clean rows: decoded copies of committed rows, so that reading a key again costs one dict lookup.

Two generations stand in for an LRU list, whose upkeep would cost more than the lookup itself. Rows enter the recent
generation; when that is full it becomes the older one, and what was there before is dropped. A row found in the older
generation returns to the recent one. So whatever was used within the last half of the budget stays.

The budget is in bytes, but nobody weighs Python objects on a hot path: a row is taken to cost a fixed overhead plus a
multiple of its mean encoded size, which commits and reads keep up to date.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any, Final, Generic, Literal, TypeVar
from weakref import WeakSet

from stores.row import MISSING, Missing

Key = TypeVar("Key", bytes, tuple[bytes, int])
Entry = TypeVar("Entry")

OVERHEAD_BYTES: Final = 250
"""A dict entry, a bytes key, the row's tuple and its timestamp."""

DECODED_FACTOR: Final = 3
"""How much larger a decoded value is than its encoding."""

SAMPLE_ROWS: Final = 4
"""How many dirty rows are weighed for an estimate, at each doubling of their number."""

FIRST_GUESS_BYTES: Final = OVERHEAD_BYTES + DECODED_FACTOR * 50


class CleanBudget:
    """Shares a number of bytes evenly among the stores that are open; of many, a little is left for the next ones, so
    that not all of them get another share with each that comes."""

    def __init__(self, total_bytes: int) -> None:
        self.total_bytes = total_bytes
        self._members: WeakSet[CleanRows[Any, Any]] = WeakSet()
        self._shares = 0

    def join(self, rows: CleanRows[Any, Any]) -> None:
        self._members.add(rows)
        self._share(rows)

    def leave(self, rows: CleanRows[Any, Any]) -> None:
        self._members.discard(rows)
        self._share(None)

    def _share(self, joined: CleanRows[Any, Any] | None) -> None:
        shares = with_room(len(self._members))
        if shares != self._shares:
            self._shares = shares
            for member in self._members:
                member.set_budget(self.total_bytes // shares)
        elif joined is not None:
            joined.set_budget(self.total_bytes // shares)


def with_room(members: int) -> int:
    """The number itself up to 16, above rounded up by an eighth at most."""
    step = 1 << max(members.bit_length() - 4, 0)
    return -(-members // step) * step


class CleanRows(Generic[Key, Entry]):
    """The clean rows of one store; a None row says that the key has none. A store may keep something else by its keys.

    `recent` keeps its identity, so a store may hold `recent.get`: that is the fast path. `row_bytes` is the estimate
    of a row's cost in memory.

    Where rows have a time, the store sets `newest` to the newest time that it has committed, before it hands rows in.
    Then `lost` tells the newest time that anything can have which was let go: all that is newer is here.
    """

    __slots__ = (
        "__weakref__",
        "_budget_bytes",
        "_limit",
        "_older",
        "_older_newest",
        "lost",
        "newest",
        "recent",
        "row_bytes",
    )

    def __init__(self) -> None:
        self.recent: dict[Key, Entry | None] = {}
        self.row_bytes = FIRST_GUESS_BYTES
        self.newest = -1
        self.lost = -1
        self._older: dict[Key, Entry | None] = {}
        self._older_newest = -1
        self._budget_bytes = 0
        self._limit = 0

    def set_budget(self, budget_bytes: int) -> None:
        self._budget_bytes = budget_bytes
        self._fit()

    def revive(self, key: Key) -> Entry | Literal[Missing.MISSING] | None:
        """The row of a key that is not in `recent`, MISSING if it is not here at all."""
        row = self._older.pop(key, MISSING)
        if row is not MISSING:
            self.recent[key] = row
        return row

    def insert(self, key: Key, row: Entry | None, encoded_bytes: int) -> None:
        """Adds a row that was just read; its size moves the estimate a little."""
        self.row_bytes += (OVERHEAD_BYTES + DECODED_FACTOR * encoded_bytes - self.row_bytes) >> 5
        self.recent[key] = row
        if len(self.recent) > self._limit:
            self._fit()

    def absorb(self, rows: Mapping[Key, Entry | None], encoded_bytes: int) -> None:
        """Adds rows that were just committed; `encoded_bytes` is the size of all of them."""
        if rows:
            self.row_bytes = OVERHEAD_BYTES + DECODED_FACTOR * encoded_bytes // len(rows)
        self.recent.update(rows)
        self._fit()

    def weigh(self, encoded_bytes: list[int]) -> None:
        """Takes the mean of these sizes as the estimate."""
        if encoded_bytes:
            self.row_bytes = OVERHEAD_BYTES + DECODED_FACTOR * sum(encoded_bytes) // len(encoded_bytes)
            self._fit()

    def clear(self) -> None:
        self.recent.clear()
        self._older.clear()
        self.lost = self.newest

    def __len__(self) -> int:
        return len(self.recent) + len(self._older)

    def _fit(self) -> None:
        """Recomputes how many rows a generation may hold and starts a new one if there are more.

        A large commit can bring many times that number; its last rows stay.
        """
        limit = self._limit = self._budget_bytes // 2 // self.row_bytes
        if len(self.recent) > limit:
            if len(self.recent) <= limit + limit // 8 + 1 and limit:
                self.lost = max(self.lost, self._older_newest)
                self._older = self.recent.copy()
            else:
                self.lost = self.newest
                self._older = dict(islice(reversed(self.recent.items()), limit))
            self._older_newest = self.newest
            self.recent.clear()
