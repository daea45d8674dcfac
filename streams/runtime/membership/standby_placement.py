"""Where the copies of a task's state are kept that nobody works on: its standby replicas.

A copy is one state directory's: any process there can open what lies in it, so a second copy on the same disk would
protect from nothing. Copies lie on other hosts than the active task and than each other as long as there are hosts,
then in other state directories of the same hosts. Where there is neither, there are fewer copies than were asked for.

A copy that is there stays, and a member that gives a task away keeps its state as a standby, until a member has more
than its share; new ones go to the least loaded. Source: Kafka Streams' `num.standby.replicas`.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Mapping, Sequence

from streams.plan.task_id import TaskId
from streams.runtime.membership.place import Copies, Disk, Place


def place_standbys(
    tasks: Iterable[TaskId],
    places: Sequence[Place],
    copies: Copies,
    *,
    active: Mapping[TaskId, Place],
    warming: Mapping[TaskId, Place],
    count: int,
) -> dict[TaskId, list[Place]]:
    """Task → the places of its standbys, up to `count`; the disks of `active` and `warming` have their copy anyway.

    Args:
        tasks: the stateful ones.
    """
    if not count:
        return {}
    wanted = sorted(tasks)
    sites = {task: Site(active[task], warming.get(task)) for task in wanted}
    loads = Loads(places)
    most = -(-len(wanted) * count // len(places))
    holders = holders_of(places)
    for task in wanted:
        site = sites[task]
        kept = holders.get(task, ())
        others = (place for disk in copies.of(task) if copies.caught_up(task, disk) for place in copies.on(disk))
        for place in (*kept, *others):
            if len(site.chosen) == count:
                break
            if loads.of(place) < most and place.disk not in site.disks and site.is_far(place, loads.hosts):
                site.choose(place)
                loads.add(place)
    for task in wanted:
        site = sites[task]
        while len(site.chosen) < count and (place := loads.least(site)) is not None:
            site.choose(place)
            loads.add(place)
    return {task: site.chosen for task, site in sites.items()}


def holders_of(places: Iterable[Place]) -> dict[TaskId, list[Place]]:
    """Who has state of a task open: those that keep it as a standby, then those that run it (and may give it away)."""
    holders: dict[TaskId, list[Place]] = {}
    for place in places:
        for task in place.candidate.subscription.standbys:
            holders.setdefault(task, []).append(place)
    for place in places:
        for task in place.candidate.subscription.claimed:
            holders.setdefault(task, []).append(place)
    return holders


class Site:
    """Where copies of one task are going to be: on which disks, on which hosts."""

    def __init__(self, active: Place, warming: Place | None) -> None:
        self.chosen: list[Place] = []
        self.disks: set[Disk] = {active.disk} if warming is None else {active.disk, warming.disk}
        self.hosts: set[str] = {active.host}

    def choose(self, place: Place) -> None:
        self.chosen.append(place)
        self.disks.add(place.disk)
        self.hosts.add(place.host)

    def is_far(self, place: Place, hosts: Collection[str]) -> bool:
        """Whether it is on a host without a copy, or there are no more of these."""
        return place.host not in self.hosts or len(hosts) <= len(self.hosts)


class Loads:
    """How many standbys each place has; finds the one with the fewest. Loads only grow, so that entries of the heaps
    may lag and are corrected when they come to the top."""

    def __init__(self, places: Sequence[Place]) -> None:
        self._places = places
        self._loads = [0] * len(places)
        self._of_host: dict[str, list[tuple[int, int]]] = {}
        for place in places:
            self._of_host.setdefault(place.host, []).append((0, place.number))
        self._hosts = [(0, entries[0][1], host) for host, entries in self._of_host.items()]
        heapq.heapify(self._hosts)

    @property
    def hosts(self) -> Collection[str]:
        return self._of_host.keys()

    def of(self, place: Place) -> int:
        return self._loads[place.number]

    def add(self, place: Place) -> None:
        self._loads[place.number] += 1

    def least(self, site: Site) -> Place | None:
        """The least loaded place for another copy; None if there is none."""
        return self._search(site, site.hosts) or self._search(site, ())

    def _search(self, site: Site, avoided: Collection[str]) -> Place | None:
        passed: list[tuple[int, int, str]] = []
        found = None
        while self._hosts and found is None:
            load, number, host = heapq.heappop(self._hosts)
            top = self._top(host)
            if top != (load, number):
                heapq.heappush(self._hosts, (*top, host))
                continue
            passed.append((load, number, host))
            if host not in avoided:
                found = self._within(host, site)
        for entry in passed:
            heapq.heappush(self._hosts, entry)
        return found

    def _top(self, host: str) -> tuple[int, int]:
        entries = self._of_host[host]
        while entries[0][0] != self._loads[entries[0][1]]:
            number = entries[0][1]
            heapq.heapreplace(entries, (self._loads[number], number))
        return entries[0]

    def _within(self, host: str, site: Site) -> Place | None:
        if self._places[self._top(host)[1]].disk not in site.disks:
            return self._places[self._top(host)[1]]
        free = [number for _, number in self._of_host[host] if self._places[number].disk not in site.disks]
        return self._places[min(free, key=lambda number: (self._loads[number], number))] if free else None
