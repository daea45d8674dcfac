"""Who should end up with which active task, moves and state aside: even, and close to what is.

Each sub-topology is cut into equal parts, because its tasks cost alike: a member gets `size // members` of its tasks,
and as many members as it takes get one more. Who gets one more is chosen so that

1. totals differ by at most one between members too;
2. as few tasks as possible leave a living owner: those who have one more now keep it, as far as 1 allows.

Then each member keeps its share of what it runs; what is above goes, with the tasks nobody runs, to those whose share
is not full, first to where the tasks' state is. Two members that hold three tasks of sub-topology 0 and three of 1, and
a third that joins:

    a  0_0 0_2 1_1                       a  0_0 1_1
    b  0_1 1_0 1_2       becomes         b  0_1 1_0
    c                                    c  0_2 1_2

Stickiness comes from what members say they hold; no earlier assignment is needed. Equal input gives equal output. All
members count alike: one process has one slot.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence

from streams.plan.task_id import TaskId
from streams.runtime.membership.place import Copies, Place
from streams.runtime.membership.universe import TaskUniverse


def balanced(universe: TaskUniverse, places: Sequence[Place], copies: Copies) -> dict[TaskId, Place]:
    """Task → its place. `places` must not be empty."""
    owners = owners_of(places)
    subtopologies: dict[int, list[TaskId]] = {}
    for task in universe.tasks:
        subtopologies.setdefault(task.subtopology, []).append(task)
    homes = {sub: Homes(tasks, places, owners, copies) for sub, tasks in subtopologies.items()}
    shares = share_out(homes, len(places))
    targets: dict[TaskId, Place] = {}
    for sub, home in homes.items():
        targets |= home.deal(shares[sub])
    return targets


def owners_of(places: Iterable[Place]) -> dict[TaskId, Place]:
    """Who runs which task. If two say they do, the one that was in the group more recently is right."""
    owners: dict[TaskId, Place] = {}
    for place in sorted(places, key=lambda place: place.candidate.subscription.generation):
        for task in place.candidate.subscription.held:
            owners[task] = place
    return owners


class Homes:
    """The tasks of one sub-topology, and where each is at home: with its owner, else with the best copy of its state.

    `held` and `counts` are numbers of tasks by place: those that run there, and those that are at home there.
    """

    def __init__(
        self, tasks: Sequence[TaskId], places: Sequence[Place], owners: Mapping[TaskId, Place], copies: Copies
    ) -> None:
        self.size = len(tasks)
        self.held = [0] * len(places)
        self.counts = [0] * len(places)
        self._places = places
        self._copies = copies
        self._owners = owners
        self._at: list[list[TaskId]] = [[] for _ in places]
        self._nowhere: list[TaskId] = []
        homeless: list[TaskId] = []
        for task in tasks:
            owner = owners.get(task)
            if owner is None:
                homeless.append(task)
            else:
                self._settle(task, owner)
                self.held[owner.number] += 1
        for task in homeless:
            best = self._best_copy(task)
            if best is None:
                self._nowhere.append(task)
            else:
                self._settle(task, best)

    def _settle(self, task: TaskId, place: Place) -> None:
        self._at[place.number].append(task)
        self.counts[place.number] += 1

    def _best_copy(self, task: TaskId) -> Place | None:
        """Those that are caught up are alike, so that a host with a little more than others does not get everything."""

        def merit(disk: tuple[str, str], place: Place) -> tuple[float, bool, int, int]:
            lag = 0 if self._copies.caught_up(task, disk) else self._copies.lag(task, disk)
            fed = task in place.candidate.subscription.standbys
            return lag, not fed, self.counts[place.number], place.number

        copies = self._copies
        found = ((merit(disk, place), place) for disk in copies.of(task) for place in copies.on(disk))
        return min(found, key=lambda each: each[0], default=(None, None))[1]

    def deal(self, shares: Sequence[int]) -> dict[TaskId, Place]:
        """Every task's place, when so many are each one's share."""
        room = {place.number: shares[place.number] - self.counts[place.number] for place in self._places}
        targets: dict[TaskId, Place] = {}
        loose = list(self._nowhere)
        for place in self._places:
            tasks, share = self._at[place.number], shares[place.number]
            if len(tasks) > share:
                tasks = sorted(tasks, key=lambda task: (task not in self._owners, self._welcome(task, room), task))
                loose += tasks[share:]
                room[place.number] = 0
            targets |= dict.fromkeys(tasks[:share], place)
        rest: list[TaskId] = []
        for _, task, disks in sorted((self._readiness(task), task, self._disks(task)) for task in loose):
            place = next((p for disk in disks for p in self._copies.on(disk) if room[p.number] > 0), None)
            if place is None:
                rest.append(task)
            else:
                targets[task] = place
                room[place.number] -= 1
        rest.sort()
        following = iter(rest)
        for place in self._places:
            for _ in range(room[place.number]):
                targets[next(following)] = place
        return targets

    def _welcome(self, task: TaskId, room: Mapping[int, int]) -> int:
        """Whether there is room where state of the task is: 2 where it is caught up, 1 where not."""
        best = 0
        for disk in self._copies.of(task):
            if any(room[place.number] > 0 for place in self._copies.on(disk)):
                best = max(best, 2 if self._copies.caught_up(task, disk) else 1)
        return best

    def _readiness(self, task: TaskId) -> float:
        return min(self._copies.of(task).values(), default=0)

    def _disks(self, task: TaskId) -> list[tuple[str, str]]:
        """Where there is state of a task, the best first."""
        lags = self._copies.of(task)
        return sorted(lags, key=lambda disk: (lags[disk], disk))


def share_out(homes: Mapping[int, Homes], members: int) -> dict[int, list[int]]:
    """Sub-topology → how many of its tasks each place gets."""
    extras = [0] * members
    more: dict[int, set[int]] = {}

    def choice(sub: int) -> tuple[int, int]:
        """Those first that leave no choice: all who have one more can keep it."""
        least, over = divmod(homes[sub].size, members)
        return sum(count > least for count in homes[sub].held) - over, sub

    for sub in sorted(homes, key=choice):
        home = homes[sub]
        least, over = divmod(home.size, members)

        def merit(number: int, home: Homes = home, least: int = least) -> tuple[bool, bool, int, int]:
            return home.counts[number] <= least, home.held[number] <= least, extras[number], number

        more[sub] = set(heapq.nsmallest(over, range(members), key=merit))
        for number in more[sub]:
            extras[number] += 1
    level(extras, more, {sub: (home, home.size // members) for sub, home in homes.items()})
    return {
        sub: [home.size // members + (number in more[sub]) for number in range(members)] for sub, home in homes.items()
    }


def level(extras: list[int], more: Mapping[int, set[int]], homes: Mapping[int, tuple[Homes, int]]) -> None:
    """Passes extra tasks from places with many to those with few until their numbers differ by at most one, and rather
    such as the giver does not run and the taker does. Who has more extras than another has one of a sub-topology of
    which the other has none, so it ends."""
    highest = [(-count, number) for number, count in enumerate(extras)]
    lowest = [(count, number) for number, count in enumerate(extras)]
    heapq.heapify(highest)
    heapq.heapify(lowest)
    while True:
        while -highest[0][0] != extras[highest[0][1]]:
            heapq.heappop(highest)
        while lowest[0][0] != extras[lowest[0][1]]:
            heapq.heappop(lowest)
        giver, taker = highest[0][1], lowest[0][1]
        if extras[giver] - extras[taker] <= 1:
            return

        def gain(sub: int, giver: int = giver, taker: int = taker) -> tuple[int, int, int]:
            home, least = homes[sub]
            running = (home.held[taker] > least) - (home.held[giver] > least)
            return running, (home.counts[taker] > least) - (home.counts[giver] > least), sub

        sub = max((sub for sub, numbers in more.items() if giver in numbers and taker not in numbers), key=gain)
        more[sub].remove(giver)
        more[sub].add(taker)
        extras[giver] -= 1
        extras[taker] += 1
        for number in (giver, taker):
            heapq.heappush(highest, (-extras[number], number))
            heapq.heappush(lowest, (extras[number], number))
