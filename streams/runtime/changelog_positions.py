"""How far each changelog partition is contained in the local state, as far as that is known cheaply.

A position may be too low (rows are absolute, replaying them is idempotent) but never too high. So instead of asking
for a delivery report per record: where the log ended when the task was restored, and from time to time where it ends
between two commits, when nothing of ours is under way. That question is asked after a commit and never waited for; if
the answer is not there when the next commit begins to write, it could count records that are not in the state yet, and
is thrown away.

                     commit n                         commit n+1
    ── write changelog ─ flush ─ state ──── ends? ──── answer? ─ write changelog ─ flush ─ state, with the answer
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from streams.errors import StreamsError
from streams.plan.task_id import TaskId
from streams.runtime.log_ends import EndsRequest, LogEnds
from streams.runtime.router import Place

Slot = tuple[TaskId, Place]
"""Partitions of stores belong to one task; one of the metadata topic is shared by those with the same number."""

REFRESH_AFTER_RECORDS = 20_000
"""So many records a restart would read again at most (and what one commit writes); reading them takes 0.1 s."""


class ChangelogPositions:
    """Owned by the stream thread."""

    def __init__(self, ends: LogEnds, *, refresh_after: int = REFRESH_AFTER_RECORDS) -> None:
        self._ends = ends
        self._refresh_after = refresh_after
        self._positions: dict[Slot, int] = {}
        self._sent: dict[Slot, int] = {}
        self._writing: set[TaskId] = set()  # have sent what is not in their state, in a commit that did not complete
        self._request: EndsRequest | None = None

    def add(self, task: TaskId, positions: Mapping[Place, int]) -> None:
        """What the task wrote to these partitions up to these offsets is in its local state."""
        for place, position in positions.items():
            self._positions[task, place] = position
            self._sent[task, place] = 0

    def remove(self, tasks: Collection[TaskId]) -> None:
        for slot in [slot for slot in self._positions if slot[0] in tasks]:
            del self._positions[slot], self._sent[slot]
        self._writing.difference_update(tasks)

    def get(self, task: TaskId, place: Place) -> int:
        """The offset from which the task would have to restore. Raises KeyError for what was not added."""
        return self._positions[task, place]

    def before_write(self) -> None:
        """Called when a commit is about to send its first changelog record."""
        request, self._request = self._request, None
        if request is None or not request.done():
            return
        try:
            self._take(request.result(0))
        except StreamsError:
            return  # the old positions are still right, only lower; whoever needs the broker will say that it is away

    def sent(self, task: TaskId, place: Place, count: int) -> None:
        """So many records were sent to the partition by the commit under way."""
        if count:
            self._sent[task, place] += count
            self._writing.add(task)

    def after_commit(self, tasks: Collection[TaskId]) -> None:
        """Called when a commit is complete: everything these tasks sent is acknowledged and in their state."""
        self._writing.difference_update(tasks)
        if self._request is None:
            stale = {place for (_, place), count in self._sent.items() if count >= self._refresh_after}
            if stale:
                self._request = self._ends.request(stale)

    def settle(self, tasks: Collection[TaskId], timeout_s: float) -> None:
        """Makes the positions of these tasks exact; everything sent must be acknowledged. Raises StreamsError."""
        unsettled = {place for (task, place), count in self._sent.items() if count and task in tasks}
        if unsettled:
            self._take(self._ends.request(unsettled).result(timeout_s), tasks)

    def _take(self, ends: Mapping[Place, int], tasks: Collection[TaskId] | None = None) -> None:
        for slot, position in self._positions.items():
            task, place = slot
            if place in ends and (task not in self._writing if tasks is None else task in tasks):
                self._positions[slot] = max(position, ends[place])
                self._sent[slot] = 0
