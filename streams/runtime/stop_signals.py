"""Signals that end a worker which runs in the main thread of a program."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

log = logging.getLogger(__name__)

AT_ONCE = "stopping at once, without a last commit: what is not committed is processed again when a worker goes on"
"""What a second Ctrl-C means."""


@contextmanager
def stopped_by_signals(stop: Callable[[], None]) -> Generator[None]:
    """While the block runs, SIGTERM and Ctrl-C call `stop`; afterwards they do what they did before.

    Ctrl-C once more no longer waits for `stop` to have done its work: KeyboardInterrupt.
    """
    asked = False

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked and number == signal.SIGINT:
            log.warning("worker_interrupted: %s", AT_ONCE)
            raise KeyboardInterrupt
        asked = True
        stop()

    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
