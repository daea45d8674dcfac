"""How far groups have read, and how much is before them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from streams.cluster.admin import Admin, Place


class PartitionLag(NamedTuple):
    """`lag` is `end - committed`, never below 0; both None where the partition has no leader that could be asked."""

    topic: str
    partition: int
    committed: int
    end: int | None
    lag: int | None


def group_lag(admin: Admin, group: str) -> list[PartitionLag]:
    """Of each partition that the group has committed an offset of, in order; those of topics that are gone are left
    out. Raises ClusterError."""
    return lags_of(admin, [group])[group]


def lags_of(admin: Admin, groups: Sequence[str]) -> dict[str, list[PartitionLag]]:
    """The same of several groups, with one question for all ends."""
    leaders = {(topic, each.partition): each.leader for topic, found in admin.topics().items() for each in found}
    committed = {
        group: {place: offset for place, offset in found.items() if place in leaders}
        for group, found in admin.committed_of(groups).items()
    }
    places = {place for found in committed.values() for place in found}
    ranges = admin.ranges(sorted(place for place in places if leaders[place] >= 0))
    ends = {place: end for place, (_, end) in ranges.items()}
    return {
        group: [_lag(place, offset, ends.get(place)) for place, offset in found.items()]
        for group, found in committed.items()
    }


def _lag(place: Place, committed: int, end: int | None) -> PartitionLag:
    return PartitionLag(*place, committed, end, None if end is None else max(0, end - committed))
