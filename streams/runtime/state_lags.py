"""How far behind its changelogs the state is that lies here, as the group is told, so that tasks go to where it is."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping

from streams.errors import StreamsError
from streams.plan.task_id import TaskId
from streams.runtime.log_ends import EndsRequest, LogEnds
from streams.runtime.replica import Replica
from streams.runtime.router import Place

log = logging.getLogger(__name__)

ANSWER_WAIT_S = 5.0
REFRESH_EVERY_S = 10.0


class StateLags:
    """Owned by the stream thread. State of three kinds: of a running task (nothing is missing), of a standby (which is
    measured), and of neither, whose changelogs go on growing: where they end is asked for from time to time.

    Args:
        positions: of state that nobody has open, by task: changelog partition → next offset to restore from.
        report: tells the group; task → records.
        clock: monotonic, in s.
    """

    def __init__(
        self,
        positions: Mapping[TaskId, Mapping[Place, int]],
        ends: LogEnds,
        report: Callable[[Mapping[TaskId, int]], None],
        *,
        clock: Callable[[], float],
    ) -> None:
        self._resting = {task: dict(places) for task, places in positions.items()}
        self._ends = ends
        self._report = report
        self._clock = clock
        self._known: dict[TaskId, int] = {}
        self._told: Mapping[TaskId, int] | None = None
        self._request: EndsRequest | None = None
        self._ask_at = 0.0

    def begin(self) -> None:
        """Tells what lies here at the start, if the broker says in time how far behind it is."""
        try:
            self._take(self._ends.request(self._places()).result(ANSWER_WAIT_S))
        except StreamsError as error:
            log.info("local_state_unknown: %s; tasks are assigned without regard to it", error)
        else:
            self._ask_at = self._clock() + REFRESH_EVERY_S
        self._tell()

    def running(self, tasks: Iterable[Replica]) -> None:
        """These run here, from state that is complete."""
        for task in tasks:
            self._resting.pop(task.id, None)
            self._known[task.id] = 0
        self._tell()

    def rests(self, task: Replica) -> None:
        """The state of this one is closed, as it is."""
        known = task.state.positions
        if task.changelogs:
            self._resting[task.id] = {(c.topic, c.partition): known.get(c.store, 0) for c in task.changelogs}

    def gone(self, tasks: Iterable[TaskId]) -> None:
        """Their state was deleted."""
        for task in tasks:
            self._resting.pop(task, None)
            self._known.pop(task, None)
        self._tell()

    def standing_by(self, lags: Mapping[TaskId, int]) -> None:
        """So much do standbys lack."""
        for task, lag in lags.items():
            self._resting.pop(task, None)
            self._known[task] = lag
        self._tell()

    def refresh(self) -> None:
        """Asks where changelogs end, if it is time, and takes in the answer when it is there."""
        if self._request is None:
            if self._clock() >= self._ask_at and self._resting:
                self._request = self._ends.request(self._places())
            return
        if not self._request.done():
            return
        request, self._request = self._request, None
        self._ask_at = self._clock() + REFRESH_EVERY_S
        try:
            self._take(request.result(0))
        except StreamsError:
            return  # what is known is not much older
        self._tell()

    def _places(self) -> set[Place]:
        return {place for places in self._resting.values() for place in places}

    def _take(self, ends: Mapping[Place, int]) -> None:
        for task, places in self._resting.items():
            if ends.keys() >= places.keys():
                self._known[task] = sum(max(ends[place] - position, 0) for place, position in places.items())

    def _tell(self) -> None:
        if self._known != self._told:
            self._told = dict(self._known)
            self._report(self._told)
