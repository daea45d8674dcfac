"""OffsetCommit (key 8). Version 10 names topics by id and is not used."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any, ClassVar

from kio.schema.errors import ErrorCode
from msgspec import Struct

from streams.wire.request import Api
from streams.wire.schema import Fields


class OffsetToCommit(Struct, frozen=True, kw_only=True):
    offset: int
    leader_epoch: int = -1
    metadata: str = ""


class OffsetCommit(Struct, frozen=True, kw_only=True):
    """Its answer is the error of each (topic, partition)."""

    api: ClassVar[Api] = Api("OffsetCommit", 8, 7, 9)
    group_id: str
    member_id: str
    instance_id: str | None
    generation: int
    offsets: Mapping[tuple[str, int], OffsetToCommit]

    def fields(self) -> Fields:
        by_topic = groupby(sorted(self.offsets.items(), key=lambda item: item[0]), key=lambda item: item[0][0])
        return {
            "group_id": self.group_id,
            "generation_id_or_member_epoch": self.generation,
            "member_id": self.member_id,
            "group_instance_id": self.instance_id,
            "topics": tuple(
                {
                    "name": topic,
                    "partitions": tuple(
                        {
                            "partition_index": partition,
                            "committed_offset": offset.offset,
                            "committed_leader_epoch": offset.leader_epoch,
                            "committed_metadata": offset.metadata,
                        }
                        for (_, partition), offset in entries
                    ),
                }
                for topic, entries in by_topic
            ),
        }

    def answer(self, response: Any) -> dict[tuple[str, int], ErrorCode]:
        return {
            (topic.name, partition.partition_index): partition.error_code
            for topic in response.topics
            for partition in topic.partitions
        }
