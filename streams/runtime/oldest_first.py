"""Which task is next: the one whose next record is oldest."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heapify, heappop, heapreplace

from streams.runtime.task import Task


class OldestFirst:
    """Tasks with records that may be processed now, for one turn. While a task runs nothing comes in for the others, so
    only its own place changes: with a thousand tasks that have a few records each, asking all of them again after each
    would be most of the work.

    `now` is ms of the worker's monotonic clock.
    """

    def __init__(self, tasks: Iterable[Task], now: int) -> None:
        self._now = now
        self._heap = [(task.inputs.head_time(), number, task) for number, task in enumerate(tasks) if task.ready(now)]
        heapify(self._heap)

    def __bool__(self) -> bool:
        return bool(self._heap)

    @property
    def next(self) -> Task:
        return self._heap[0][2]

    def ran(self) -> None:
        """`next` has run."""
        _, number, task = self._heap[0]
        if task.ready(self._now):
            heapreplace(self._heap, (task.inputs.head_time(), number, task))
        else:
            heappop(self._heap)
