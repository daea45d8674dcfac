"""What becomes of a worker that cannot go on: the application decides.

Source: KIP-671, `StreamsUncaughtExceptionHandler`. A worker has one stream thread, so what is a thread's there is a
worker's here.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Literal, get_args

from streams.errors import ApplicationShutdownError, ConfigError
from streams.runtime.membership import Failed, InstanceFencedError, Membership

log = logging.getLogger(__name__)

UncaughtResponse = Literal["replace_worker", "shutdown_worker", "shutdown_application"]
"""`replace_worker`: it begins anew in its place, from what it last committed. `shutdown_worker`: it ends with the
error. `shutdown_application`: all workers of the application end."""
UncaughtHandler = UncaughtResponse | Callable[[Exception], UncaughtResponse]

FINAL = (ApplicationShutdownError, ConfigError, InstanceFencedError)
"""What would be the same again, or would take from another worker what is its own by now; nobody is asked."""
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
POLL_S = 0.05
HEALTHY_AFTER_S = 60.0
"""Who has run for so long before it failed does not wait longer than the first time."""


class UncaughtPolicy:
    """Asks the handler, and says how long to wait before a worker begins anew. `clock` is monotonic, in s."""

    def __init__(self, handler: UncaughtHandler, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._handler = handler
        self._clock = clock
        self._began_at = clock()
        self._failures = 0

    def respond(self, error: Exception) -> UncaughtResponse:
        """What is to be done; a handler that fails, or answers something else, ends the worker."""
        if isinstance(error, FINAL):
            return "shutdown_worker"
        if isinstance(self._handler, str):
            return self._handler  # pyright: ignore[reportReturnType] (one of the names)
        try:
            response = self._handler(error)
        except Exception:
            log.exception("uncaught_exception_handler_failed: the worker ends")
            return "shutdown_worker"
        if response not in get_args(UncaughtResponse):
            known = ", ".join(map(repr, get_args(UncaughtResponse)))
            log.error("uncaught_exception_handler_failed: it answered %r, and not one of %s", response, known)
            return "shutdown_worker"
        return response

    def pause_s(self) -> float:
        """How long a worker that has just failed waits: longer each time in a row."""
        now = self._clock()
        self._failures = 1 if now - self._began_at >= HEALTHY_AFTER_S else self._failures + 1
        pause_s = min(FIRST_PAUSE_S * 2 ** (self._failures - 1), LONGEST_PAUSE_S)
        self._began_at = now + pause_s
        return pause_s


def end_application(membership: Membership, reason: str, timeout_s: float) -> None:
    """Tells the group that all of it is to end; returns when that is on its way to everybody, or after a time."""
    log.error("application_ends: all workers are told to: %s", reason)
    membership.end_application(reason)
    give_up_at = time.monotonic() + timeout_s
    while time.monotonic() < give_up_at:
        for event in membership.poll():
            if isinstance(event, Failed) and isinstance(event.error, ApplicationShutdownError):
                return
        time.sleep(POLL_S)
    log.warning("application_ends_slowly: the group did not answer within %.0f s", timeout_s)
