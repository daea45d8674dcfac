"""Asking again what a broker cannot answer yet."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

LONGEST_PAUSE_S = 1.0


class Patience(Struct):
    """A time limit with pauses that grow. `clock` in s."""

    clock: Callable[[], float]
    pause: Callable[[float], None]
    deadline: float
    next_pause_s: float = 0.02

    @property
    def left_s(self) -> float:
        """Until the time is over; not above zero: it is."""
        return self.deadline - self.clock()

    def rest(self) -> None:
        """Pauses before the next attempt."""
        self.pause(max(0.0, min(self.next_pause_s, self.left_s)))
        self.next_pause_s = min(LONGEST_PAUSE_S, 2 * self.next_pause_s)
