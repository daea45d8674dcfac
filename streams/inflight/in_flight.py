"""All records in flight in one task, and what has to wait for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from streams.inflight.call_loop import CallLoop
from streams.inflight.line import Line, Place

if TYPE_CHECKING:
    from streams.compile.program import TaskBinding


class InFlight:
    """The lines of a task, upstream first. Owned by the task."""

    __slots__ = ("_binding", "draining", "emptying", "ending", "lines")

    def __init__(self, binding: TaskBinding) -> None:
        self._binding = binding
        self.lines: list[Line] = []
        self.ending = False
        """A commit is near: batches end as they are."""
        self.draining = False
        """A commit waits until nothing is in flight."""
        self.emptying = False
        """Something has to wait until nothing is in flight: no more input before."""

    @property
    def count(self) -> int:
        """Records in flight."""
        return sum(line.count for line in self.lines)

    @property
    def calling(self) -> bool:
        """Whether somebody else has to answer before all records are out."""
        return any(line.count for line in self.lines if line.waits)

    @property
    def due_ms(self) -> int | None:
        """The wall-clock time at which the first batch has waited long enough."""
        return min((due for line in self.lines if (due := line.due_ms) is not None), default=None)

    # -- for the generated code ------------------------------------------------------------------------------------
    def add(self, make: Callable[[TaskBinding, Callable[[], bool]], Line]) -> Line:
        """A line of the task. `make` is given the binding and what says that batches are to end."""
        line = make(self._binding, self.ends)
        self.lines.append(line)
        return line

    def ends(self) -> bool:
        return self.ending or self.emptying

    def is_full(self) -> bool:
        """Whether the task may take no more input."""
        return self.emptying or self.draining or any(line.full for line in self.lines)

    def has_to_empty(self) -> bool:
        """What comes next has to wait until nothing is in flight, and input behind it; False: nothing is."""
        self.emptying = self.count > 0
        return self.emptying

    def is_empty_now(self) -> bool:
        """Whether what waited for that may go on; true once."""
        if self.emptying and not self.count:
            self.emptying = False
            return True
        return False

    # -- for the task ----------------------------------------------------------------------------------------------
    def follow(self, passed: Callable[[], None]) -> None:
        """Calls `passed` when all records that are in flight now, and what becomes of them, are out."""
        self._follow(0, passed)

    def _follow(self, rank: int, passed: Callable[[], None]) -> None:
        if rank == len(self.lines):
            passed()
        else:
            self.lines[rank].mark(lambda: self._follow(rank + 1, passed))

    def earliest(self) -> dict[Place, int]:
        """The least offset in flight, for each partition that has records in flight."""
        least: dict[Place, int] = {}
        for line in self.lines:
            for place, offset in line.earliest().items():
                least[place] = min(least.get(place, offset), offset)
        return least

    def released_time(self, place: Place) -> int:
        """The largest timestamp of the partition's records that are out for good, ms; -1: none is."""
        return min((line.released[place] for line in self.lines if place in line.released), default=-1)

    def close(self) -> None:
        """Drops what is in flight."""
        for line in self.lines:
            line.close()


def required_loop(loop: CallLoop | None) -> CallLoop:
    """The loop a task was given; it is there wherever a topology has asynchronous functions."""
    if loop is None:
        raise RuntimeError("a topology with map_async needs an event loop in its tasks' bindings")
    return loop
