"""The tasks that stand by in a worker.

    wanted ──open──► fed ──promote──► (the task's own)
       ▲              │
       └── adopt ─────┴──drop──► closed

A directory that another process has open is tried again and again: it is giving the task up, or the group will say
otherwise.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from stores import StoreReader, TaskState
from streams.plan.plan import PartitionPlan
from streams.plan.task_id import TaskId
from streams.runtime.changelog_stretch import ChangelogLag
from streams.runtime.local_state import leave_note
from streams.runtime.replica import Replica
from streams.runtime.restore import Restorer
from streams.runtime.standby_task import StandbyTask

log = logging.getLogger(__name__)

RETRY_S = 0.2
OPENING_S = 0.05
"""After so long the others are opened with the next turn."""


class StandingBy(NamedTuple):
    """What stands by in a worker, for any thread."""

    tasks: frozenset[TaskId] = frozenset()
    stores: Mapping[tuple[str, int], StoreReader] = MappingProxyType({})
    """(store, partition) → what was read of its changelog; readable until the task is closed (StoreClosedError)."""
    lags: Mapping[tuple[TaskId, str], ChangelogLag] = MappingProxyType({})
    """(task, store) → how far it is in its changelog, once that is known; a moment old."""

    def reader(self, task: TaskId, store: str, max_lag: int) -> StoreReader | None:
        """What was read of a store's changelog, if it lacks no more than `max_lag` records as far as is known."""
        lag = self.lags.get((task, store))
        return self.stores.get((store, task.partition)) if lag is not None and lag.records <= max_lag else None


class Standbys:
    """Owned by the stream thread; others see `seen`, which is replaced, never changed.

    Args:
        open_state: opens a task's state; None if another process has it open.
        directory: of a task.
        rests: told of each whose state was closed.
        acceptable_lag: records; a standby less behind has caught up.
        clock: monotonic, in s.
    """

    def __init__(
        self,
        plan: PartitionPlan,
        restorer: Restorer,
        open_state: Callable[[TaskId], TaskState | None],
        directory: Callable[[TaskId], Path],
        rests: Callable[[Replica], None],
        *,
        acceptable_lag: int,
        clock: Callable[[], float],
    ) -> None:
        self._plan = plan
        self._restorer = restorer
        self._open_state = open_state
        self._directory = directory
        self._rests = rests
        self._acceptable = acceptable_lag
        self._clock = clock
        self._retry_at = 0.0
        self._wanted: frozenset[TaskId] = frozenset()
        self._warming: frozenset[TaskId] = frozenset()
        self._fed: dict[TaskId, StandbyTask] = {}
        self.seen = StandingBy()

    # -- which ---------------------------------------------------------------------------------------------------------
    def want(self, tasks: Collection[TaskId], warming: Collection[TaskId], *, promoting: Collection[TaskId]) -> None:
        """These stand by from now on, and no others, but for those that are about to be promoted."""
        self._wanted, self._warming = frozenset(tasks), frozenset(warming)
        self.drop([task for task in self._fed if task not in self._wanted and task not in promoting])
        self._retry_at = 0.0
        if tasks and self._wanted - self._fed.keys():
            log.info("standbys_assigned: %s", " ".join(str(task) for task in sorted(self._wanted - self._fed.keys())))

    def bring_up(self) -> None:
        """Opens those that are wanted and not open yet, not all at once: tasks that run do not wait for that.

        Raises StateError: a directory cannot be used.
        """
        missing, now = self._wanted - self._fed.keys(), self._clock()
        if not missing or now < self._retry_at:
            return
        self._retry_at = now + RETRY_S
        for task in sorted(missing):
            if self._clock() >= now + OPENING_S:
                self._retry_at = 0.0
                return
            state = self._open_state(task)
            if state is not None:
                self.adopt(task, state)

    def adopt(self, task: TaskId, state: TaskState) -> None:
        """Feeds the state of a task from now on."""
        standby = self._fed[task] = StandbyTask(task, self._plan, state, self._plan.inputs(task))
        self._restorer.follow(standby)
        self._changed()

    def state(self, task: TaskId) -> TaskState | None:
        """What a task may begin with, if it stands by here; it is to be taken by `promoted` then."""
        standby = self._fed.get(task)
        if standby is None:
            return None
        standby.keep_metadata()
        return standby.state

    def promoted(self, tasks: Iterable[TaskId]) -> None:
        """The states of these belong to active tasks now."""
        for task in tasks:
            if self._fed.pop(task, None) is not None:
                log.info("standby_promoted: %s", task, extra={"task": str(task)})
        self._changed()

    def drop(self, tasks: Collection[TaskId]) -> None:
        """Closes standbys."""
        dropped = [self._fed.pop(task) for task in tasks if task in self._fed]
        if dropped:
            self._restorer.cancel([standby.id for standby in dropped])
            self._changed()
        for standby in dropped:
            standby.keep_metadata()
            try:
                leave_note(self._directory(standby.id), standby)
            except OSError as error:
                log.warning("note_failed: task %s: %s", standby.id, error, extra={"task": str(standby.id)})
            standby.state.close()
            self._rests(standby)

    def forget(self) -> None:
        """The group does not want any: closes all."""
        self.want((), (), promoting=())

    def _changed(self) -> None:
        stores = {
            (name, task.partition): store.reader()
            for task, standby in self._fed.items()
            for name, store in standby.state.stores.items()
        }
        lags = {place: lag for place, lag in self.seen.lags.items() if place[0] in self._fed}
        self.seen = StandingBy(frozenset(self._fed), MappingProxyType(stores), MappingProxyType(lags))

    # -- how far -------------------------------------------------------------------------------------------------------
    def measure(self) -> Mapping[TaskId, int]:
        """Looks how far they are; task → records that it lacks, where that is known."""
        lags = self._restorer.lags()
        if lags != self.seen.lags:
            self.seen = self.seen._replace(lags=MappingProxyType(lags))
        return {
            task: sum(lag.records for lag in lags)
            for task, standby in self._fed.items()
            if (lags := self._known(standby)) is not None
        }

    def _known(self, standby: StandbyTask) -> list[ChangelogLag] | None:
        """The lags of all its stores, None as long as one is not known."""
        stores = [changelog.store for changelog in standby.changelogs + standby.source_changelogs]
        found = [self.seen.lags.get((standby.id, store)) for store in stores]
        return None if None in found else [lag for lag in found if lag is not None]

    @property
    def warming(self) -> frozenset[TaskId]:
        """Those that are to catch up so that they can run here."""
        return self._warming

    def warmed_up(self) -> list[TaskId]:
        """Those of `warming` that have caught up, as of the last `measure`."""
        caught_up: list[TaskId] = []
        for task in sorted(self._warming):
            standby = self._fed.get(task)
            lags = None if standby is None else self._known(standby)
            if lags is not None and sum(lag.records for lag in lags) <= self._acceptable:
                caught_up.append(task)
        return caught_up
