"""When a worker commits."""

from __future__ import annotations


class CommitSchedule:
    """Every interval, or sooner when asked. While the group moves to another generation a commit waits for a while.

    The broker refuses offsets of a generation that is over, and with them the whole transaction: all of the worker's
    tasks would have to do the work since the last commit again, those that stay with it too. The next generation is
    mostly there within milliseconds; where a member is slow to join, commits go on under the old one.

    Args:
        interval_s: from one commit to the next.
        patience_s: how long a commit that is due waits for the group.

    Times are seconds on any steady clock.
    """

    __slots__ = ("_interval_s", "_patience_s", "at")

    def __init__(self, interval_s: float, patience_s: float) -> None:
        self._interval_s = interval_s
        self._patience_s = patience_s
        self.at = 0.0
        """When the next commit is due."""

    def due(self, now: float, *, asked: bool, generation_known: bool) -> bool:
        """Whether to commit. `asked`: by a processor, or for want of memory. `generation_known`: false while the
        worker waits to hear of the next."""
        if asked and now < self.at:
            self.at = now
        return now >= (self.at if generation_known else self.at + self._patience_s)

    def done(self, now: float) -> None:
        """A commit was made, or tried."""
        self.at = now + self._interval_s
