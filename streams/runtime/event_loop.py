"""The event loop that calls the asynchronous functions of a worker's tasks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

from streams.inflight.call_loop import Call
from streams.plan.plan import Plan


class EventLoop:
    """A `CallLoop` with a thread of its own, from `open` to `close`. Owned by the worker; `start`, `wait` and `cancel`
    are for the stream thread."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._ended = threading.Event()  # a call has, since somebody waited
        self._calls: dict[object, set[asyncio.Task[None]]] = {}  # touched in the loop's thread only

    def open(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Cancels what still runs, and ends the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def start(self, owner: object, calls: Sequence[Call]) -> None:
        self._loop.call_soon_threadsafe(self._start, owner, calls)

    def wait(self, timeout_s: float) -> None:
        self._ended.wait(timeout_s)
        self._ended.clear()

    def cancel(self, owner: object) -> None:
        self._loop.call_soon_threadsafe(self._cancel, owner)

    # -- in the loop's thread -----------------------------------------------------------------------------------------
    def _run(self) -> None:
        loop = self._loop
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
            left = [task for tasks in self._calls.values() for task in tasks]
            for task in left:
                task.cancel()
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())
        finally:
            loop.close()

    def _start(self, owner: object, calls: Sequence[Call]) -> None:
        running = self._calls.setdefault(owner, set())
        for call in calls:
            task = self._loop.create_task(_awaited(call))
            running.add(task)
            task.add_done_callback(lambda done: self._ended_of(owner, done))

    def _ended_of(self, owner: object, task: asyncio.Task[None]) -> None:
        running = self._calls.get(owner)
        if running is not None:
            running.discard(task)
            if not running:
                del self._calls[owner]
        self._ended.set()

    def _cancel(self, owner: object) -> None:
        for task in self._calls.get(owner, ()):
            task.cancel()


async def _awaited(call: Call) -> None:
    await call()


def open_event_loop(plan: Plan) -> EventLoop | None:
    """Where a topology's asynchronous functions run, if it has any."""
    if not any(sub.program.calls_async for sub in plan.subtopologies):
        return None
    calls = EventLoop(f"{plan.application_id}-calls")
    calls.open()
    return calls
