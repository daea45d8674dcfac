"""What windows are still open, by the time at which they are to come out.

Time windows need no such list: their ends are known from the calendar, and their rows lie in order of start. A sliding
window or a session can end at any millisecond, and rows are found by key; so an operator that emits these when they
close keeps (due, start, key) of each open one in memory. The store has all of it: a restart reads it from there.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heapify, heappop, heappush

from streams.windows.duration import FOREVER

Entry = tuple[int, int, bytes]
"""(due, start, key): due and start in ms, the key serialised."""


class Agenda:
    """Open windows of one task, in order of due time, start, key bytes. `due` is the earliest, `FOREVER` for none."""

    __slots__ = ("_heap", "_taken", "due")

    def __init__(self) -> None:
        self._heap: list[Entry] = []
        self._taken: set[Entry] = set()
        self.due = FOREVER

    def add(self, due: int, start: int, key: bytes) -> None:
        """A window may be added more than once."""
        heappush(self._heap, (due, start, key))
        if due < self.due:
            self.due = due

    def take(self, now: int) -> Entry | None:
        """Removes and returns the first entry that is due, None if there is none. What is due at the same time comes
        once, even if it is added again meanwhile."""
        heap, taken = self._heap, self._taken
        while heap and heap[0][0] <= now:
            entry = heappop(heap)
            self.due = heap[0][0] if heap else FOREVER
            if entry not in taken:
                taken.add(entry)
                return entry
        taken.clear()
        return None

    def refill(self, entries: Iterable[Entry]) -> None:
        """Begins anew with these."""
        self._heap = list(entries)
        heapify(self._heap)
        self._taken.clear()
        self.due = self._heap[0][0] if self._heap else FOREVER
