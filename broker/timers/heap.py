"""One heap for all timers of a coordinator: no task, handle or callback per member or transaction."""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class TimerHeap(Generic[K]):
    """Deadlines by key, pure: the caller brings the clock.

    Moved and cancelled timers leave a stale heap entry behind that is skipped when it surfaces; the heap is rebuilt
    when more than half of it is stale, so it stays within twice the number of live timers (plus a small constant).
    """

    def __init__(self) -> None:
        self.live: dict[K, int] = {}
        self.heap: list[tuple[int, int, K]] = []
        self.sequence = 0

    def schedule(self, key: K, at_ms: int) -> None:
        """Sets or moves the timer `key`."""
        if self.live.get(key) == at_ms:
            return
        self.live[key] = at_ms
        self.sequence += 1
        heapq.heappush(self.heap, (at_ms, self.sequence, key))
        if len(self.heap) > 64 + 2 * len(self.live):
            self.rebuild()

    def cancel(self, key: K) -> None:
        """Removes the timer `key`, if it is set."""
        self.live.pop(key, None)

    def next_ms(self) -> int | None:
        """The earliest deadline, None if no timer is set."""
        while self.heap:
            at_ms, _, key = self.heap[0]
            if self.live.get(key) == at_ms:
                return at_ms
            heapq.heappop(self.heap)
        return None

    def due(self, now_ms: int) -> Iterator[K]:
        """Removes and yields the timers due at `now_ms`, earliest first; the loop body may set and cancel timers."""
        while (at_ms := self.next_ms()) is not None and at_ms <= now_ms:
            key = heapq.heappop(self.heap)[2]
            del self.live[key]
            yield key

    def rebuild(self) -> None:
        self.heap = [(at, i, key) for i, (key, at) in enumerate(self.live.items())]
        self.sequence = len(self.heap)
        heapq.heapify(self.heap)
