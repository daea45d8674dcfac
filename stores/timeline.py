"""What a store knows of one key's rows, in order of time."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

from stores.row import Row
from stores.timed_keys import LARGEST_TIME
from stores.timed_reader import TimedRow

NOTHING_KNOWN: Final = LARGEST_TIME + 1


class Timeline:
    """`rows`: (time, rank, row), ascending; `since`: no row of the key with time >= `since` is missing from it.

    The store that made it owns it: others read `rows` and write through the store.
    """

    __slots__ = ("rows", "since")

    def __init__(self) -> None:
        self.rows: list[TimedRow] = []
        self.since = NOTHING_KNOWN

    def get(self, time: int, rank: int) -> Row | None:
        rows = self.rows
        at = bisect_left(rows, (time, rank))
        if at < len(rows) and rows[at][0] == time and rows[at][1] == rank:
            return rows[at][2]
        return None

    def between(self, first: int, last: int) -> list[TimedRow]:
        """The rows with first <= time <= last: a copy, so the loop over it may write."""
        rows = self.rows
        if not rows:
            return []
        end = len(rows) if rows[-1][0] <= last else bisect_left(rows, (last + 1,))
        return rows[bisect_left(rows, (first,)) : end]

    def set(self, time: int, rank: int, row: Row) -> bool:
        """Sets the row; whether there was one."""
        rows = self.rows
        if not rows or rows[-1][0] < time:  # most rows come in order
            rows.append((time, rank, row))
            return False
        at = bisect_left(rows, (time, rank))
        if at < len(rows) and rows[at][0] == time and rows[at][1] == rank:
            rows[at] = (time, rank, row)
            return True
        rows.insert(at, (time, rank, row))
        return False

    def remove(self, time: int, rank: int) -> Row | None:
        """Removes the row and returns it."""
        rows = self.rows
        at = bisect_left(rows, (time, rank))
        if at < len(rows) and rows[at][0] == time and rows[at][1] == rank:
            return rows.pop(at)[2]
        return None

    def extend(self, older: list[TimedRow], since: int) -> None:
        """Takes in all rows with since <= time < self.since."""
        self.rows[:0] = older
        self.since = since

    def forget(self, hidden: int) -> None:
        """Drops the rows with time <= hidden."""
        del self.rows[: bisect_left(self.rows, (hidden + 1,))]
