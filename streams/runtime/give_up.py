"""How long a worker waits for a broker that does not answer.

Without a limit it waits for ever: an outage is no record's fault, and who is asked about it at night can do no more
than wait too. With one it ends, so that whoever looks after it hears of it.
Source: Kafka Streams' `task.timeout.ms` (KIP-572), which is counted for each task; here for the thread that runs them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

log = logging.getLogger(__name__)


class GiveUp:
    """Asked while something waits for the broker; True: it is to be given up. Owned by the stream thread.

    Args:
        timeout_s: the longest time from the first question to `answered`; None: no limit.
        clock: monotonic, in s.
    """

    def __init__(self, timeout_s: float | None, clock: Callable[[], float]) -> None:
        self._timeout_s = timeout_s
        self._clock = clock
        self._since: float | None = None
        self._leave_at: float | None = None

    def __call__(self) -> bool:
        now = self._clock()
        if self._leave_at is not None and now >= self._leave_at:
            return True
        if self._since is None:
            self._since = now
        if self._timeout_s is None or now < self._since + self._timeout_s:
            return False
        log.error("task_timeout: the broker has not answered for %.0f s, which is the task_timeout", now - self._since)
        return True

    def answered(self) -> None:
        """The broker did."""
        self._since = None

    def leave_within(self, timeout_s: float) -> None:
        """The worker ends: there is so much time left."""
        self._leave_at = self._clock() + timeout_s
