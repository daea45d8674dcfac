"""The records that one operator has taken and not let out yet, in the order they came."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streams.compile.program import Headers, Message

Forward = Callable[[Any, Any, int, "Headers | None", "Message", int], None]
"""Runs what follows the operator for (key, result, timestamp, headers, message, the task's time when it came)."""
Place = tuple[str, int]


class Pending:
    """One record in flight. `done` is set last: by the event loop's thread, with `result` or `error` before it."""

    __slots__ = ("arguments", "done", "error", "headers", "key", "message", "result", "task_time", "timestamp")

    def __init__(
        self,
        key: Any,
        arguments: tuple[Any, ...],
        timestamp: int,
        headers: Headers | None,
        message: Message,
        task_time: int,
    ) -> None:
        self.key = key
        self.arguments = arguments
        self.timestamp = timestamp
        self.headers = headers
        self.message = message
        self.task_time = task_time
        self.result: Any = None
        self.error: Exception | None = None
        self.done = False


class Mark:
    """Something that is to happen when all records before it are out: time passes through a line with them."""

    __slots__ = ("passed",)

    def __init__(self, passed: Callable[[], None]) -> None:
        self.passed = passed


class Line:
    """Owned by a task. Records come in by `take` and go out by `step`, in the same order, one after the other.

    Args:
        limit: the task takes no more input while as many records are in the line. A record that becomes several on its
            way to the operator (`flat_map`) can make it longer by these; they wait without being worked on.
    """

    __slots__ = ("_limit", "_queue", "count", "forward", "message", "released")

    waits: bool = False
    """Whether somebody else has to do something before records come out."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._queue: deque[Pending | Mark] = deque()
        self.forward: Forward = _nowhere
        self.count = 0
        """Records in the line."""
        self.message: Message | None = None
        """The record being let out, for those who have to tell what failed."""
        self.released: dict[Place, int] = {}
        """Topic and partition -> largest timestamp of the records that came out."""

    @property
    def full(self) -> bool:
        return self.count >= self._limit

    @property
    def due_ms(self) -> int | None:
        """The wall-clock time at which `step` has something to do without anything happening before."""
        return None

    def take(
        self,
        key: Any,
        arguments: tuple[Any, ...],
        timestamp: int,
        headers: Headers | None,
        message: Message,
        task_time: int,
    ) -> None:
        """Takes a record; nothing is done with it before `step`."""
        pending = Pending(key, arguments, timestamp, headers, message, task_time)
        self._queue.append(pending)
        self.count += 1
        self._came(pending)

    def mark(self, passed: Callable[[], None]) -> None:
        """Calls `passed` when all records that are in the line now are out: at once if there is none."""
        if self._queue:
            self._queue.append(Mark(passed))
        else:
            passed()

    def step(self) -> None:
        """Begins what may begin and lets out what is done.

        Raises whatever the function raised for the record whose turn it is, or what follows raised; that record is out
        then, and the next call goes on behind it.
        """
        self._begin()
        queue = self._queue
        while queue:
            first = queue[0]
            if isinstance(first, Mark):
                queue.popleft()
                self.message = None
                first.passed()
                continue
            if not first.done:
                break
            queue.popleft()
            self.count -= 1
            message = self.message = first.message
            place, timestamp = (message.topic(), message.partition()), first.timestamp
            if timestamp > self.released.get(place, -1):
                self.released[place] = timestamp
            if first.error is not None:
                raise first.error
            self.forward(first.key, first.result, timestamp, first.headers, message, first.task_time)
        self.message = None
        self._begin()

    def earliest(self) -> dict[Place, int]:
        """The least offset of the records in the line, for each partition that has any there."""
        least: dict[Place, int] = {}
        for each in self._queue:
            if isinstance(each, Pending):
                message = each.message
                place, offset = (message.topic(), message.partition()), message.offset()
                if offset < least.get(place, offset + 1):
                    least[place] = offset
        return least

    def close(self) -> None:
        """Nothing comes out any more."""
        self._queue.clear()
        self.count = 0

    def _came(self, pending: Pending) -> None:
        """A record came in."""
        raise NotImplementedError

    def _begin(self) -> None:
        """Starts work on the records whose turn it is."""
        raise NotImplementedError


def _nowhere(*_: Any) -> None:
    raise RuntimeError("a record came out of a line that is not connected")
