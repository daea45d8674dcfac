"""DescribeLogDirs (key 35): how many bytes the partitions take on a broker's disks. Source: KIP-113."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from streams.wire.request import Api
from streams.wire.schema import Fields


class DescribeLogDirs:
    """Of all topics that the broker has replicas of."""

    api: ClassVar[Api] = Api("DescribeLogDirs", 35, 1, 4)

    def fields(self) -> Fields:
        return {"topics": None}

    def answer(self, response: Any) -> Mapping[tuple[str, int], int]:
        """(topic, partition) -> bytes; of a disk that cannot be read, none."""
        return {
            (topic.name, partition.partition_index): partition.partition_size
            for result in response.results
            for topic in result.topics
            for partition in topic.partitions
            if not partition.is_future_key
        }
