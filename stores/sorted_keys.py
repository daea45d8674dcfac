"""Keys kept in order for scans, at little cost for stores that are never scanned.

`SortedKeys` is an ordered set. `DirtyKeys` follows a dict that others write to: dicts keep insertion order and the
dirty dict of a store only grows until it is cleared, so keys it has not seen are exactly the last ones.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from itertools import islice
from typing import Final, Generic, TypeVar

Key = TypeVar("Key", bytes, int)

Value = TypeVar("Value")

FEW: Final = 16
"""Up to so many keys are inserted one by one (a memmove each); more are sorted in, which walks the whole list."""


class SortedKeys(Generic[Key]):
    """A set of keys, sorted when somebody looks."""

    __slots__ = ("keys",)

    def __init__(self) -> None:
        self.keys: list[Key] = []

    def add(self, new: list[Key]) -> None:
        """Adds keys that are not in it yet."""
        if len(new) <= FEW:
            for key in new:
                insort(self.keys, key)
        else:
            new.sort()
            self.keys.extend(new)
            self.keys.sort()  # two ascending runs: merged, not sorted again

    def remove(self, old: set[Key]) -> None:
        """Removes keys that are in it."""
        if len(old) <= FEW:
            for key in old:
                del self.keys[bisect_left(self.keys, key)]
        else:
            self.keys = [key for key in self.keys if key not in old]

    def first(self, lower: Key) -> Key | None:
        """The first key >= lower."""
        place = bisect_left(self.keys, lower)
        return self.keys[place] if place < len(self.keys) else None

    def between(self, lower: Key, upper: Key | None) -> list[Key]:
        """Keys with lower <= key < upper, in order."""
        first = bisect_left(self.keys, lower)
        return self.keys[first:] if upper is None else self.keys[first : bisect_left(self.keys, upper)]


class DirtyKeys(Generic[Key, Value]):
    """The keys of `rows` in order. The owner calls `clear` whenever it clears `rows`; no one else removes keys."""

    __slots__ = ("_rows", "_sorted")

    def __init__(self, rows: dict[Key, Value]) -> None:
        self._rows = rows
        self._sorted: SortedKeys[Key] = SortedKeys()

    def between(self, lower: Key, upper: Key | None) -> list[Key]:
        """Keys with lower <= key < upper, in order: a copy, so the loop over it may write rows."""
        return self._follow().between(lower, upper)

    def take_through(self, last: Key) -> list[Key]:
        """Forgets the keys <= last and returns them; the owner deletes their rows."""
        keys = self._follow().keys
        end = bisect_right(keys, last)
        taken = keys[:end]
        del keys[:end]
        return taken

    def clear(self) -> None:
        self._sorted.keys.clear()

    def _follow(self) -> SortedKeys[Key]:
        unseen = len(self._rows) - len(self._sorted.keys)
        if unseen:
            last_first = reversed(self._rows.keys())
            self._sorted.add(list(islice(last_first, unseen)))
        return self._sorted
