"""The records that wait for their batch to be complete."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from streams.inflight.batch_format import BatchValues, result_values
from streams.inflight.line import Line, Pending


class BatchLine(Line):
    """A batch ends with `max_size` records, `max_wait_ms` after its first, or when `ends` says so.

    Args:
        values: makes the function's argument from a list of values.
        may_skip: records on which the function raises may be passed over: where it raises for a batch it is called for
            each record alone, so that only those are lost that it raises for.
        wall_clock: ms since the epoch.
        ends: whether what is there is to be a batch now.
    """

    __slots__ = (
        "_due_ms",
        "_ends",
        "_function",
        "_max_size",
        "_max_wait_ms",
        "_may_skip",
        "_open",
        "_values",
        "_wall_clock",
    )

    def __init__(
        self,
        function: Callable[[Any], Any],
        *,
        max_size: int,
        max_wait_ms: int,
        values: BatchValues,
        may_skip: bool,
        wall_clock: Callable[[], int],
        ends: Callable[[], bool],
    ) -> None:
        super().__init__(max_size)
        self._function = function
        self._max_size = max_size
        self._max_wait_ms = max_wait_ms
        self._values = values
        self._may_skip = may_skip
        self._wall_clock = wall_clock
        self._ends = ends
        self._open: deque[Pending] = deque()
        self._due_ms: int | None = None

    @property
    def due_ms(self) -> int | None:
        return self._due_ms

    def close(self) -> None:
        super().close()
        self._open.clear()

    def _came(self, pending: Pending) -> None:
        if not self._open:
            self._due_ms = self._wall_clock() + self._max_wait_ms
        self._open.append(pending)

    def _begin(self) -> None:
        waiting = self._open
        while len(waiting) >= self._max_size or (waiting and self._is_due()):
            batch = [waiting.popleft() for _ in range(min(self._max_size, len(waiting)))]
            self._run(batch)
            self._due_ms = self._wall_clock() + self._max_wait_ms if waiting else None

    def _is_due(self) -> bool:
        return self._ends() or (self._due_ms is not None and self._wall_clock() >= self._due_ms)

    def _run(self, batch: list[Pending]) -> None:
        try:
            results = self._answers(batch)
        except Exception as error:
            if self._may_skip and len(batch) > 1:
                for pending in batch:
                    self._run([pending])
                return
            last = batch[-1].message
            error.add_note(f"for a batch of {len(batch)} records, the last at offset {last.offset()} of {last.topic()}")
            for pending in batch:
                pending.error, pending.done = error, True
        else:
            for pending, result in zip(batch, results):
                pending.result, pending.done = result, True

    def _answers(self, batch: list[Pending]) -> list[Any]:
        results = result_values(self._function(self._values([pending.arguments[0] for pending in batch])))
        if len(results) != len(batch):
            raise ValueError(f"a batch of {len(batch)} values needs as many results, got {len(results)}")
        return results
