"""The records for which an asynchronous function is being called."""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from msgspec import Struct

from streams.inflight.call_loop import CallLoop
from streams.inflight.line import Line, Pending


class CallPolicy(Struct, frozen=True, kw_only=True):
    """How a function is called. Times in ms.

    Args:
        concurrency: most calls that are made and not let out at a time.
        timeout_ms: of one attempt.
        retries: attempts after the first.
        backoff_ms: wait before the first of these; each further wait is twice as long, at most `max_backoff_ms`.
    """

    concurrency: int
    timeout_ms: int
    retries: int
    backoff_ms: int
    max_backoff_ms: int


class AsyncLine(Line):
    """Calls start in the order of the records, as many at a time as the policy allows, and end as they may."""

    __slots__ = ("_function", "_loop", "_policy", "_unstarted")

    waits = True

    def __init__(self, function: Callable[..., Any], policy: CallPolicy, loop: CallLoop) -> None:
        super().__init__(policy.concurrency)
        self._function = function
        self._policy = policy
        self._loop = loop
        self._unstarted: deque[Pending] = deque()

    def close(self) -> None:
        super().close()
        self._unstarted.clear()
        self._loop.cancel(self)

    def _came(self, pending: Pending) -> None:
        self._unstarted.append(pending)

    def _begin(self) -> None:
        unstarted = self._unstarted
        free = self._policy.concurrency - (self.count - len(unstarted))
        if free > 0 and unstarted:
            starting = [unstarted.popleft() for _ in range(min(free, len(unstarted)))]
            self._loop.start(self, [partial(self._call, pending) for pending in starting])

    async def _call(self, pending: Pending) -> None:
        """Runs in the event loop."""
        policy, attempt = self._policy, 0
        wait_ms = policy.backoff_ms
        while True:
            attempt += 1
            try:
                pending.result = await self._attempt(pending.arguments, attempt)
                break
            except BaseException as error:
                if isinstance(error, asyncio.CancelledError) and _asked_to_end():
                    raise
                if attempt > policy.retries or not isinstance(error, Exception):
                    pending.error = error if isinstance(error, Exception) else _as_exception(error)
                    break
            await asyncio.sleep(wait_ms / 1000)
            wait_ms = min(wait_ms * 2, policy.max_backoff_ms)
        pending.done = True

    async def _attempt(self, arguments: tuple[Any, ...], attempt: int) -> Any:
        policy = self._policy
        answer = self._function(*arguments)
        if not inspect.isawaitable(answer):
            raise TypeError(
                f"map_async needs an async function, but {_name(self._function)} returned {answer!r}: write "
                "`async def`, or use map_values"
            )
        limit = asyncio.timeout(policy.timeout_ms / 1000)
        try:
            async with limit:
                return await answer
        except TimeoutError as error:
            if not limit.expired():
                raise
            message = f"no answer within {policy.timeout_ms} ms (attempt {attempt} of {policy.retries + 1})"
            # with the trace of the cancellation, which shows where the function was waiting
            waited = error.__cause__ or error.__context__ or error
            raise TimeoutError(message).with_traceback(waited.__traceback__) from None


def _asked_to_end() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _as_exception(error: BaseException) -> Exception:
    """What a function raised that is no `Exception`: it must not end the event loop."""
    failure = RuntimeError(f"the function ended with {error!r}")
    failure.__cause__ = error
    return failure.with_traceback(error.__traceback__)


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__qualname__", type(function).__qualname__)
