"""The members of a group as the assignor looks at them, and where state of which tasks lies."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from streams.plan.task_id import TaskId
from streams.runtime.membership.universe import TaskUniverse
from streams.runtime.membership.user_data import Subscription

Disk = tuple[str, str]
"""Host and state directory: any process there can open what lies there, one at a time."""


class Candidate(Struct, frozen=True, kw_only=True):
    """A member of the group as its leader sees it."""

    member_id: str
    subscription: Subscription
    instance_id: str | None = None

    @property
    def rank(self) -> tuple[str, str]:
        """The order among members where nothing else decides; that of instance ids survives restarts."""
        return (self.instance_id or "", self.member_id)


class Place(Struct, frozen=True, eq=False):
    """A candidate and its number in the order of ranks."""

    number: int
    candidate: Candidate
    disk: Disk

    @property
    def host(self) -> str:
        return self.disk[0]


def places_of(candidates: Iterable[Candidate]) -> tuple[Place, ...]:
    return tuple(
        Place(number, candidate, (candidate.subscription.host, candidate.subscription.state_dir))
        for number, candidate in enumerate(sorted(candidates, key=lambda candidate: candidate.rank))
    )


class Copies:
    """How far behind the state of each task is on each disk."""

    def __init__(self, universe: TaskUniverse, places: Sequence[Place], acceptable_lag: int) -> None:
        self._universe = universe
        self._acceptable = acceptable_lag
        self._lags: dict[TaskId, dict[Disk, int]] = {}
        self._on: dict[Disk, list[Place]] = {}
        for place in places:
            self._on.setdefault(place.disk, []).append(place)
            for task, lag in place.candidate.subscription.lags.items():
                there = self._lags.setdefault(task, {})
                there[place.disk] = min(lag, there.get(place.disk, lag))
        for place in places:
            for task in place.candidate.subscription.claimed & universe.stateful:
                self._lags.setdefault(task, {})[place.disk] = 0

    def of(self, task: TaskId) -> Mapping[Disk, int]:
        """Disk → records that the state there lacks, for the disks that have some."""
        return self._lags.get(task, {})

    def on(self, disk: Disk) -> Sequence[Place]:
        """Who can open what is on a disk."""
        return self._on[disk]

    def lag(self, task: TaskId, disk: Disk) -> float:
        """Records to restore if the task were to start there: its whole changelogs where there is no state, infinitely
        many if their length is not known."""
        if task not in self._universe.stateful:
            return 0
        all_of_it = self._universe.backlog.get(task, math.inf)
        return min(self.of(task).get(disk, all_of_it), all_of_it)

    def caught_up(self, task: TaskId, disk: Disk) -> bool:
        """Whether a task could start there with little to restore."""
        return self.lag(task, disk) <= self._acceptable
