"""Where the copies of a task's state are kept that nobody works on: its standby replicas.

A copy is one state directory's: any process there can open what lies in it, so a second copy on the same disk would
protect from nothing. Copies lie on other hosts than the active task and than each other as long as there are hosts,
then in other state directories of the same hosts. Where there is neither, there are fewer copies than were asked for.
Before hosts come the tags that members have of where they run, if any are named: a copy goes where the value of the
first tag is one without a copy, if there is such a place, then of the second, and so on.

A copy that is there stays, and a member that gives a task away keeps its state as a standby, until a member has more
than its share; new ones go to the least loaded. Source: Kafka Streams' `num.standby.replicas`, and
for tags KIP-708, `ClientTagAwareStandbyTaskAssignor`.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Mapping, Sequence, Set

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
    tags: Sequence[str] = (),
) -> dict[TaskId, list[Place]]:
    """Task → the places of its standbys, up to `count`; the disks of `active` and `warming` have their copy anyway.

    Args:
        tasks: the stateful ones.
        tags: over whose values copies are spread, the weightiest first.
    """
    if not count:
        return {}
    wanted = sorted(tasks)
    sites = {task: Site(active[task], warming.get(task), tags) for task in wanted}
    loads = Loads(places, tags)
    most = -(-len(wanted) * count // len(places))
    holders = holders_of(places)
    for task in wanted:
        site = sites[task]
        kept = holders.get(task, ())
        others = (place for disk in copies.of(task) if copies.caught_up(task, disk) for place in copies.on(disk))
        for place in (*kept, *others):
            if len(site.chosen) == count:
                break
            if loads.of(place) < most and place.disk not in site.disks and site.is_far(place, loads):
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


Rack = tuple[str | None, ...]
"""A member's values of the tags, None where it has none."""


class Site:
    """Where copies of one task are going to be: on which disks, on which hosts, where by the tags."""

    def __init__(self, active: Place, warming: Place | None, tags: Sequence[str]) -> None:
        self.chosen: list[Place] = []
        self.disks: set[Disk] = {active.disk} if warming is None else {active.disk, warming.disk}
        self.hosts: set[str] = {active.host}
        self._tags = tags
        self._used: list[set[str | None]] = [{value} for value in rack_of(active, tags)]

    def choose(self, place: Place) -> None:
        self.chosen.append(place)
        self.disks.add(place.disk)
        self.hosts.add(place.host)
        for used, value in zip(self._used, rack_of(place, self._tags), strict=True):
            used.add(value)

    def is_far(self, place: Place, loads: Loads) -> bool:
        """Whether there is no place further from the copies: by the tags, then by the host."""
        if self._tags:
            news = self.news(rack_of(place, self._tags))
            if all(news) and place.host not in self.hosts:
                return True
            open_racks = [(self.news(rack), rack) for rack in loads.racks if loads.has_room(rack, self)]
            if news < max(other for other, _ in open_racks):
                return False
            return place.host not in self.hosts or all(
                loads.hosts_of(rack) <= self.hosts for other, rack in open_racks if other == news
            )
        return place.host not in self.hosts or len(loads.hosts) <= len(self.hosts)

    def news(self, rack: Rack) -> tuple[bool, ...]:
        """For each tag, whether its value there is one without a copy."""
        return tuple(value not in used for used, value in zip(self._used, rack, strict=True))


def rack_of(place: Place, tags: Sequence[str]) -> Rack:
    told = place.candidate.subscription.tags
    return tuple(told.get(tag) for tag in tags)


class Loads:
    """How many standbys each place has; finds the one with the fewest. Loads only grow, so that entries of the heaps
    may lag and are corrected when they come to the top."""

    def __init__(self, places: Sequence[Place], tags: Sequence[str]) -> None:
        self._places = places
        self._loads = [0] * len(places)
        self._of_host: dict[tuple[Rack, str], list[tuple[int, int]]] = {}
        self._disks: dict[Rack, set[Disk]] = {}
        for place in places:
            rack = rack_of(place, tags)
            self._of_host.setdefault((rack, place.host), []).append((0, place.number))
            self._disks.setdefault(rack, set()).add(place.disk)
        self._hosts: dict[Rack, list[tuple[int, int, str]]] = {rack: [] for rack in self._disks}
        for (rack, host), entries in self._of_host.items():
            self._hosts[rack].append((0, entries[0][1], host))
        for hosts in self._hosts.values():
            heapq.heapify(hosts)
        self._racks = [(*hosts[0][:2], rack) for rack, hosts in self._hosts.items()]
        heapq.heapify(self._racks)
        self._names = {rack: {host for _, _, host in hosts} for rack, hosts in self._hosts.items()}
        self.hosts = frozenset(place.host for place in places)

    @property
    def racks(self) -> Collection[Rack]:
        return self._hosts.keys()

    def hosts_of(self, rack: Rack) -> Set[str]:
        return self._names[rack]

    def has_room(self, rack: Rack, site: Site) -> bool:
        """Whether a disk there is without a copy."""
        return not self._disks[rack] <= site.disks

    def of(self, place: Place) -> int:
        return self._loads[place.number]

    def add(self, place: Place) -> None:
        self._loads[place.number] += 1

    def least(self, site: Site) -> Place | None:
        """The least loaded of the places that are furthest from the copies there are; None if there is none."""
        return self._least_new(site) or self._least_furthest(site)

    def _least_new(self, site: Site) -> Place | None:
        """A place where all tags and the host are new, which most tasks find in the first rack that is looked at."""
        passed: list[tuple[int, int, Rack]] = []
        found = None
        while self._racks and found is None:
            load, number, rack = heapq.heappop(self._racks)
            top = self._top_of_rack(rack)
            if top != (load, number):
                heapq.heappush(self._racks, (*top, rack))
                continue
            passed.append((load, number, rack))
            if all(site.news(rack)):
                found = self._search(rack, site, site.hosts)
        for entry in passed:
            heapq.heappush(self._racks, entry)
        return found

    def _least_furthest(self, site: Site) -> Place | None:
        alike: dict[tuple[bool, ...], list[Rack]] = {}
        for rack in self._hosts:
            alike.setdefault(site.news(rack), []).append(rack)
        for news in sorted(alike, reverse=True):
            for avoided in (site.hosts, ()):
                found = [place for rack in alike[news] if (place := self._search(rack, site, avoided)) is not None]
                if found:
                    return min(found, key=lambda place: (self._loads[place.number], place.number))
        return None

    def _search(self, rack: Rack, site: Site, avoided: Collection[str]) -> Place | None:
        hosts = self._hosts[rack]
        passed: list[tuple[int, int, str]] = []
        found = None
        while hosts and found is None:
            load, number, host = heapq.heappop(hosts)
            top = self._top(rack, host)
            if top != (load, number):
                heapq.heappush(hosts, (*top, host))
                continue
            passed.append((load, number, host))
            if host not in avoided:
                found = self._within(rack, host, site)
        for entry in passed:
            heapq.heappush(hosts, entry)
        return found

    def _top_of_rack(self, rack: Rack) -> tuple[int, int]:
        hosts = self._hosts[rack]
        while True:
            load, number, host = hosts[0]
            top = self._top(rack, host)
            if top == (load, number):
                return top
            heapq.heapreplace(hosts, (*top, host))

    def _top(self, rack: Rack, host: str) -> tuple[int, int]:
        entries = self._of_host[rack, host]
        while entries[0][0] != self._loads[entries[0][1]]:
            number = entries[0][1]
            heapq.heapreplace(entries, (self._loads[number], number))
        return entries[0]

    def _within(self, rack: Rack, host: str, site: Site) -> Place | None:
        first = self._places[self._top(rack, host)[1]]
        if first.disk not in site.disks:
            return first
        free = [number for _, number in self._of_host[rack, host] if self._places[number].disk not in site.disks]
        return self._places[min(free, key=lambda number: (self._loads[number], number))] if free else None
