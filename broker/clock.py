"""The broker's clock: the machine's, and ahead of it by as much as a test has moved it."""

from __future__ import annotations

import time


class BrokerClock:
    """Gives ms since the epoch. What waits for a time has to be told when the clock was moved."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self.ahead_ms

    def advance(self, by_ms: int) -> None:
        """Forward only: what has expired stays so. Raises ValueError."""
        if by_ms < 0:
            raise ValueError(f"the clock cannot be moved back, which {by_ms} ms would do")
        self.ahead_ms += by_ms
