"""What is before a group, where not every partition can be asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from streams.cluster.admin import PartitionDescription, Place
from streams.cluster.group_lag import PartitionLag, lags_of


class Cluster:
    """`orders` with two partitions of 10 records, the second of which has no leader."""

    def topics(self) -> dict[str, tuple[PartitionDescription, ...]]:
        partitions = [PartitionDescription(partition=p, leader=-p, replicas=(0,), in_sync=()) for p in (0, 1)]
        return {"orders": tuple(partitions)}

    def committed_of(self, groups: Sequence[str]) -> dict[str, dict[Place, int]]:
        return {group: {("gone", 0): 5, ("orders", 0): 3, ("orders", 1): 4, ("orders", 2): 1} for group in groups}

    def ranges(self, places: Iterable[Place]) -> dict[Place, tuple[int, int]]:
        assert list(places) == [("orders", 0)], "a question about a partition without a leader is not answered"
        return {("orders", 0): (0, 10)}


def test_lag_of_a_partition_without_leader_is_unknown_and_the_others_are_told() -> None:
    """What the group committed of topics and partitions that are gone is left out."""
    cluster: Any = Cluster()
    assert lags_of(cluster, ["mailer"]) == {
        "mailer": [PartitionLag("orders", 0, 3, 10, 7), PartitionLag("orders", 1, 4, None, None)]
    }
