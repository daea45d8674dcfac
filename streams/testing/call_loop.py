"""The event loop of a test: it runs in the test's own thread, and nobody waits for its timers."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Sequence
from typing import Any

from streams.inflight.call_loop import Call


class TestCallLoop:
    """A `CallLoop` that works while somebody waits for it.

    Its clock jumps to the next timer whenever nothing from outside can happen before: a function that sleeps, a time
    limit, a wait between attempts take no time. While a socket is open or a function runs in another thread
    (`asyncio.to_thread`) it is the real time. Opened by the first call.
    """

    __test__ = False

    def __init__(self) -> None:
        self._loop: SkippingLoop | None = None
        self._calls: dict[object, set[asyncio.Task[None]]] = {}
        self._ended = 0

    def start(self, owner: object, calls: Sequence[Call]) -> None:
        loop = self._loop
        if loop is None:
            loop = self._loop = SkippingLoop()
        running = self._calls.setdefault(owner, set())
        for call in calls:
            task = loop.create_task(_awaited(call))
            running.add(task)
            task.add_done_callback(lambda done: self._over(running, done))

    def _over(self, running: set[asyncio.Task[None]], task: asyncio.Task[None]) -> None:
        running.discard(task)
        self._ended += 1

    def wait(self, timeout_s: float) -> None:
        """Runs the loop until a call has ended since the last `wait`; `timeout_s` is by the loop's own clock."""
        running = [task for tasks in self._calls.values() for task in tasks]
        if self._loop is not None and running and not self._ended:
            ended = asyncio.wait(running, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            self._loop.run_until_complete(ended)
        self._ended = 0

    def cancel(self, owner: object) -> None:
        tasks = list(self._calls.pop(owner, ()))
        for task in tasks:
            task.cancel()
        if tasks and self._loop is not None:
            self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))

    def close(self) -> None:
        for owner in list(self._calls):
            self.cancel(owner)
        loop, self._loop = self._loop, None
        if loop is not None:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()


class SkippingLoop(asyncio.SelectorEventLoop):
    """Skips the time until its next timer where nothing else can wake it."""

    def __init__(self) -> None:
        self._skipped = 0.0
        self._elsewhere = 0  # functions that run in other threads
        super().__init__(SkippingSelector(self))
        self.own_files = len(self._selector.get_map())  # type: ignore[attr-defined]

    own_files = 0

    def time(self) -> float:
        return super().time() + self._skipped

    def alone(self, files: int) -> bool:
        """Whether nothing but a timer can wake it; `files`: how many it watches."""
        return not self._elsewhere and files <= self.own_files

    def skip(self, seconds: float) -> None:
        self._skipped += seconds

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:
        future = super().run_in_executor(executor, func, *args)
        self._elsewhere += 1
        future.add_done_callback(self._came_back)
        return future

    def _came_back(self, _: Any) -> None:
        self._elsewhere -= 1


class SkippingSelector(selectors.DefaultSelector):
    """Asks its loop before it waits."""

    def __init__(self, loop: SkippingLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if ready or timeout is None or timeout <= 0 or not self._loop.alone(len(self.get_map())):
            return ready or super().select(timeout)
        self._loop.skip(timeout)
        return ready


async def _awaited(call: Call) -> None:
    await call()
