"""Waiting for the broker's answer to a commit, while the stream thread does something useful."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

T = TypeVar("T")


class BrokerWait:
    """Owned by the stream thread, and has a thread of its own for what waits. Nobody else may use what that uses until
    `during` returns."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="broker-wait")

    def during(self, call: Callable[[], T], meanwhile: Callable[[], bool]) -> T:
        """What `call` returns or raises. Until it does, `meanwhile` is called again and again, as long as it says that
        there may be more to do."""
        answer = self._thread.submit(call)
        try:
            while not answer.done() and meanwhile():
                pass
        finally:
            wait((answer,))  # whatever interrupts this thread finds the call ended
        return answer.result()

    def close(self) -> None:
        self._thread.shutdown()
