"""OffsetFetch (key 9). Versions 8 and up ask for several groups at once; version 10 names topics by id, not used.

`partitions` None stands for all that the group has committed. Of offsets that are to be stable the answer is
UNSTABLE_OFFSET_COMMIT while a transaction that commits them is open. Source: KIP-447.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import groupby
from typing import Any, ClassVar

from kio.schema.errors import ErrorCode
from msgspec import Struct

from streams.wire.request import Api
from streams.wire.schema import Fields


class FetchedOffset(Struct, frozen=True, kw_only=True):
    """`offset` is -1 where the group has committed none."""

    error: ErrorCode
    offset: int
    leader_epoch: int
    metadata: str


class FetchedOffsets(Struct, frozen=True, kw_only=True):
    error: ErrorCode
    offsets: dict[tuple[str, int], FetchedOffset]


class OffsetFetch(Struct, frozen=True, kw_only=True):
    api: ClassVar[Api] = Api("OffsetFetch", 9, 7, 9)
    group_id: str
    partitions: Collection[tuple[str, int]] | None
    stable: bool = True

    def fields(self) -> Fields:
        topics = None if self.partitions is None else tuple(_by_topic(self.partitions))
        return {
            "group_id": self.group_id,
            "topics": topics,
            "groups": ({"group_id": self.group_id, "topics": topics},),
            "require_stable": self.stable,
        }

    def answer(self, response: Any) -> FetchedOffsets:
        group = response.groups[0] if hasattr(response, "groups") else response
        return FetchedOffsets(
            error=group.error_code,
            offsets={
                (topic.name, partition.partition_index): FetchedOffset(
                    error=partition.error_code,
                    offset=partition.committed_offset,
                    leader_epoch=partition.committed_leader_epoch,
                    metadata=partition.metadata or "",
                )
                for topic in group.topics
                for partition in topic.partitions
            },
        )


def _by_topic(partitions: Collection[tuple[str, int]]) -> Iterator[Fields]:
    for topic, pairs in groupby(sorted(partitions), key=lambda pair: pair[0]):
        yield {"name": topic, "partition_indexes": tuple(partition for _, partition in pairs)}
