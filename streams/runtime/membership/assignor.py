"""Which member gets which task: a pure function of who is there, what they hold and what there is to do.

In order of weight:

1. every task has exactly one owner, and the numbers of tasks differ by at most one between members;
2. as few tasks as possible leave a living owner (so a member that joins takes at most ceil(tasks / members));
3. tasks without an owner go where their state is (within `ACCEPTABLE_LAG` records), so that little is restored;
4. each sub-topology is spread evenly, because its tasks cost alike: tasks that move anyway are chosen and placed so
   that its counts differ by at most one if they can. Where they cannot, because too few tasks move, a skew of up to
   `TOLERATED_SKEW` is left alone; above it tasks are swapped between members, within the budget of rule 2.

Two members that hold three tasks of sub-topology 0 and three of 1, and a third that joins:

    a  0_0 0_2 1_1                       a  0_0 1_1
    b  0_1 1_0 1_2       becomes         b  0_1 1_0
    c                                    c  0_2 1_2

Stickiness comes from what members say they hold; no earlier assignment is needed. Equal input gives equal output.
The result is a target: `handover` says what of it may happen at once.

Simplifications: all members have the same capacity (one process, one slot); no standby or warm-up replicas.
Source: Kafka Streams' StickyTaskAssignor and the acceptable recovery lag of KIP-441.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from streams.plan.task_id import TaskId
from streams.runtime.membership.universe import TaskUniverse
from streams.runtime.membership.user_data import Subscription

ACCEPTABLE_LAG = 10_000
"""records; local state that is less behind counts as caught up (Kafka's `acceptable.recovery.lag`)."""

TOLERATED_SKEW = 2
"""How far members may differ in their counts of one sub-topology before running tasks are moved because of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A member of the group as its leader sees it."""

    member_id: str
    subscription: Subscription
    instance_id: str | None = None

    @property
    def rank(self) -> tuple[str, str]:
        """The order among members where nothing else decides; that of instance ids survives restarts."""
        return (self.instance_id or "", self.member_id)


@dataclass(slots=True)
class Place:
    """A member while tasks are being dealt out; `tasks` may be more than `quota` until they are shed."""

    candidate: Candidate
    quota: int = 0
    tasks: set[TaskId] = field(default_factory=set[TaskId])
    counts: Counter[int] = field(default_factory=Counter[int])
    """Tasks by sub-topology."""

    @property
    def room(self) -> int:
        return self.quota - len(self.tasks)

    def add(self, task: TaskId) -> None:
        self.tasks.add(task)
        self.counts[task.subtopology] += 1

    def remove(self, task: TaskId) -> None:
        self.tasks.remove(task)
        self.counts[task.subtopology] -= 1


def assign(universe: TaskUniverse, candidates: Sequence[Candidate]) -> dict[str, frozenset[TaskId]]:
    """Member id -> the tasks it should end up with.

    Raises:
        ValueError: there are no candidates.
    """
    if not candidates:
        raise ValueError("tasks cannot be assigned to a group without members")
    return Draft(universe, candidates).complete()


class Draft:
    """An assignment in the making."""

    def __init__(self, universe: TaskUniverse, candidates: Sequence[Candidate]) -> None:
        self.tasks = universe.tasks
        self.stateful = universe.stateful
        self.places = [Place(candidate) for candidate in sorted(candidates, key=lambda candidate: candidate.rank)]
        self.sizes = Counter(task.subtopology for task in self.tasks)
        self.copies = local_copies(self.places)
        self.movable: set[TaskId] = set()
        """Tasks that change hands anyway and whose new place has no copy of their state: free to swap."""
        self.moved = 0
        """Tasks taken from a living owner."""

    def complete(self) -> dict[str, frozenset[TaskId]]:
        homeless = self.keep_held()
        self.set_quotas()
        homeless += self.shed()
        self.place(homeless)
        self.spread(self.movable, tolerated=1, budget=len(self.tasks))
        budget = -(-len(self.tasks) // len(self.places)) - self.moved
        self.spread(set(self.tasks), tolerated=TOLERATED_SKEW, budget=budget)
        return {place.candidate.member_id: frozenset(place.tasks) for place in self.places}

    def keep_held(self) -> list[TaskId]:
        """Gives each task to the member that runs it; returns those nobody runs. If two say they do, the one that was
        in the group more recently is right."""
        owners: dict[TaskId, Place] = {}
        for place in sorted(self.places, key=lambda place: place.candidate.subscription.generation):
            for task in place.candidate.subscription.held:
                owners[task] = place
        homeless: list[TaskId] = []
        for task in self.tasks:
            owner = owners.get(task)
            if owner is None:
                homeless.append(task)
            else:
                owner.add(task)
        return homeless

    def set_quotas(self) -> None:
        least, extra = divmod(len(self.tasks), len(self.places))
        for number, place in enumerate(sorted(self.places, key=lambda place: -len(place.tasks))):
            place.quota = least + (number < extra)

    def shed(self) -> list[TaskId]:
        """Takes from members what is above their quota."""
        shed: list[TaskId] = []
        for place in self.places:
            while place.room < 0:
                task = max(place.tasks, key=lambda task, place=place: self.readiness(place, task))
                place.remove(task)
                shed.append(task)
        self.moved = len(shed)
        return shed

    def readiness(self, place: Place, task: TaskId) -> tuple[int, bool, bool, int, TaskId]:
        """How well `place` can do without `task`: first what is above its share of the sub-topology, then what costs
        others least to take over."""
        sub, members = task.subtopology, len(self.places)
        above_share = max(0, place.counts[sub] - -(-self.sizes[sub] // members))
        welcome = any(other.room > 0 and self.caught_up(other, task) for other in self.places)
        return above_share, task not in self.stateful, welcome, place.counts[sub] * members - self.sizes[sub], task

    def place(self, homeless: Iterable[TaskId]) -> None:
        """Finds a place for each task: those with state somewhere first, and there if it has room."""
        for task in sorted(homeless, key=lambda task: (task not in self.copies, task)):
            open_places = [place for place in self.places if place.room > 0]
            best = min(open_places, key=lambda place: self.reluctance(place, task))
            best.add(task)
            if not self.caught_up(best, task):
                self.movable.add(task)

    def reluctance(self, place: Place, task: TaskId) -> tuple[bool, int, float, int]:
        lag = self.lag(place, task)
        return not self.caught_up(place, task), place.counts[task.subtopology], lag, -place.room

    def spread(self, movable: set[TaskId], *, tolerated: int, budget: int) -> None:
        """Swaps movable tasks between members until no sub-topology's counts differ by more than `tolerated`, or
        nothing can be gained, or `budget` tasks have moved.

        A swap moves a task of a sub-topology from a member with more of it to one with fewer, and one of another
        sub-topology back. With totals equal there is always such a pair (if all tasks are movable), and each swap
        brings the sum of squared counts down, so it ends.
        """
        while budget >= 2 and (swap := self.find_swap(movable, tolerated)) is not None:
            giver, given, taker, returned = swap
            giver.remove(given)
            taker.remove(returned)
            giver.add(returned)
            taker.add(given)
            budget -= 2

    def find_swap(self, movable: set[TaskId], tolerated: int) -> tuple[Place, TaskId, Place, TaskId] | None:
        for sub in sorted(self.sizes):
            for giver in sorted(self.places, key=lambda place: -place.counts[sub]):
                given = self.pick(giver, sub, movable)
                for taker in sorted(self.places, key=lambda place: place.counts[sub]):
                    if giver.counts[sub] - taker.counts[sub] <= tolerated:
                        break
                    if given is not None and (returned := self.pick_in_return(taker, giver, sub, movable)) is not None:
                        return giver, given, taker, returned
        return None

    def pick(self, place: Place, sub: int, movable: set[TaskId]) -> TaskId | None:
        candidates = [task for task in place.tasks if task.subtopology == sub and task in movable]
        return max(candidates, default=None)

    def pick_in_return(self, taker: Place, giver: Place, sub: int, movable: set[TaskId]) -> TaskId | None:
        gains = {other: taker.counts[other] - giver.counts[other] for other in self.sizes if other != sub}
        for other in sorted((other for other, gain in gains.items() if gain > 0), key=lambda other: -gains[other]):
            if (task := self.pick(taker, other, movable)) is not None:
                return task
        return None

    def lag(self, place: Place, task: TaskId) -> float:
        """Records the member's local state of the task is behind; infinite where it has none."""
        subscription = place.candidate.subscription
        return self.copies.get(task, {}).get((subscription.host, subscription.state_dir), float("inf"))

    def caught_up(self, place: Place, task: TaskId) -> bool:
        return self.lag(place, task) <= ACCEPTABLE_LAG


def local_copies(places: Iterable[Place]) -> dict[TaskId, dict[tuple[str, str], int]]:
    """Task -> (host, state directory) -> lag. Any process there can open the state, so the least lag reported counts.
    A member that runs a stateful task has its state as well, but that is no longer news when the task has left it."""
    copies: dict[TaskId, dict[tuple[str, str], int]] = {}
    for place in places:
        subscription = place.candidate.subscription
        where = (subscription.host, subscription.state_dir)
        for task, lag in subscription.lags.items():
            there = copies.setdefault(task, {})
            there[where] = min(lag, there.get(where, lag))
    return copies
