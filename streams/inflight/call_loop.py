"""What runs the calls of asynchronous functions: an event loop, as the stream thread sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

Call = Callable[[], Awaitable[None]]
"""Makes the coroutine of one call. It raises nothing but the cancellation it is asked for."""


class CallLoop(Protocol):
    """A worker has one for all its tasks, in a thread of its own; a test driver runs one in the test's thread."""

    def start(self, owner: object, calls: Sequence[Call]) -> None:
        """Starts calls, in order; returns at once."""
        ...

    def wait(self, timeout_s: float) -> None:
        """Returns once a call has ended since the last `wait`, or when the time is over."""
        ...

    def cancel(self, owner: object) -> None:
        """Cancels the calls of an owner that have not ended."""
        ...
