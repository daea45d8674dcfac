"""How far groups have read, and how much is before them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from streams.cluster.admin import Admin


class PartitionLag(NamedTuple):
    """`lag` is `end - committed`, never below 0."""

    topic: str
    partition: int
    committed: int
    end: int
    lag: int


def group_lag(admin: Admin, group: str) -> list[PartitionLag]:
    """Of each partition that the group has committed an offset of, in order; those of topics that are gone are left
    out. Raises ClusterError."""
    return lags_of(admin, [group])[group]


def lags_of(admin: Admin, groups: Sequence[str]) -> dict[str, list[PartitionLag]]:
    """The same of several groups, with one question for all ends."""
    counts = admin.partition_counts()
    committed = {
        group: {place: offset for place, offset in found.items() if place[1] < counts.get(place[0], 0)}
        for group, found in admin.committed_of(groups).items()
    }
    ranges = admin.ranges(sorted({place for found in committed.values() for place in found}))
    return {
        group: [
            PartitionLag(*place, offset, ranges[place][1], max(0, ranges[place][1] - offset))
            for place, offset in found.items()
        ]
        for group, found in committed.items()
    }
