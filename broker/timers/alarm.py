"""The one event-loop timer of a coordinator, set to the earliest of its deadlines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from broker.timers.heap import TimerHeap

K = TypeVar("K", bound=Hashable)


class Alarm(Generic[K]):
    """Calls `fired` for every timer that is due; `clock` gives ms since the epoch."""

    def __init__(self, timers: TimerHeap[K], clock: Callable[[], int], fired: Callable[[K], None]) -> None:
        self.timers = timers
        self.clock = clock
        self.fired = fired
        self.handle: asyncio.TimerHandle | None = None
        self.set_to_ms = 0

    def arm(self) -> None:
        """To be called in the event loop whenever timers have changed."""
        next_ms = self.timers.next_ms()
        if self.handle is not None:
            if next_ms == self.set_to_ms:
                return
            self.stop()
        if next_ms is not None:
            self.set_to_ms = next_ms
            delay_s = max(next_ms - self.clock(), 0) / 1000
            self.handle = asyncio.get_running_loop().call_later(delay_s, self.ring)

    def ring(self) -> None:
        """Handles the timers that are due."""
        self.handle = None
        for key in self.timers.due(self.clock()):
            self.fired(key)
        self.arm()

    def clock_moved(self) -> None:
        """What is due by the clock now need not wait for the event loop's timer, which knows nothing of it."""
        self.stop()
        self.ring()

    def stop(self) -> None:
        if self.handle is not None:
            self.handle.cancel()
            self.handle = None
