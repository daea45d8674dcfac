"""Punctuators: functions of a processor that are called when time has come to a point.

Stream time: first due at 0, so the first record sets it off. Wall clock: first due one interval after it was scheduled.
Due times stay on the grid of the first; after a gap the function is called once, with the time it is then.
Source: `PunctuationQueue`, `PunctuationSchedule`.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any, Final, Literal

PunctuationType = Literal["stream_time", "wall_clock_time"]

NEVER: Final = 2**63 - 1

Caller = Callable[[Callable[[int], Any], int], None]
"""Calls a punctuator with the time, on behalf of its processor."""


class Cancellable:
    """What `schedule` returns. Source: `org.apache.kafka.streams.processor.Cancellable`."""

    __slots__ = ("cancelled",)

    def __init__(self) -> None:
        self.cancelled = False

    def cancel(self) -> None:
        """The punctuator is not called any more; from within the punctuator too."""
        self.cancelled = True


class Punctuations:
    """The schedules of one task on one clock; `due` is when the next of them is to be called, ms."""

    __slots__ = ("_count", "_queue", "due")

    def __init__(self) -> None:
        self.due = NEVER
        self._count = 0
        self._queue: list[tuple[int, int, int, Cancellable, Caller, Callable[[int], Any]]] = []

    def add(self, first: int, interval: int, caller: Caller, callback: Callable[[int], Any]) -> Cancellable:
        """Calls `callback(now)` from `first` on, every `interval` ms, in the order of due times."""
        cancellable = Cancellable()
        self._count += 1  # equal due times: the one that was scheduled first
        heappush(self._queue, (first, self._count, interval, cancellable, caller, callback))
        self.due = self._queue[0][0]
        return cancellable

    def run(self, now: int) -> None:
        """Calls what is due. A punctuator that raises is due again at its next time."""
        queue = self._queue
        while queue and queue[0][0] <= now:
            due, rank, interval, cancellable, caller, callback = heappop(queue)
            if not cancellable.cancelled:
                following = due + interval * ((now - due) // interval + 1)
                heappush(queue, (following, rank, interval, cancellable, caller, callback))
                self.due = queue[0][0]
                caller(callback, now)
        self.due = queue[0][0] if queue else NEVER
