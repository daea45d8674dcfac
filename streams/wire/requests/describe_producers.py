"""DescribeProducers (key 61): who writes to a partition with a producer id, asked of its leader. Source: KIP-664."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from kio.schema.errors import ErrorCode
from msgspec import Struct

from streams.wire.request import Api
from streams.wire.schema import Fields


class ActiveProducer(Struct, frozen=True, kw_only=True):
    """`started_at`: first offset of its open transaction, -1: none is open. `last_ms`: when it wrote last."""

    topic: str
    partition: int
    producer_id: int
    epoch: int
    coordinator_epoch: int
    last_ms: int
    started_at: int


class ActiveProducers(Struct, frozen=True, kw_only=True):
    """`error`: of the first partition that has one."""

    error: ErrorCode
    producers: tuple[ActiveProducer, ...]


class DescribeProducers(Struct, frozen=True, kw_only=True):
    partitions: Iterable[tuple[str, int]]

    api: ClassVar[Api] = Api("DescribeProducers", 61, 0, 0)

    def fields(self) -> Fields:
        topics: dict[str, list[int]] = {}
        for topic, partition in self.partitions:
            topics.setdefault(topic, []).append(partition)
        return {"topics": tuple({"name": name, "partition_indexes": tuple(found)} for name, found in topics.items())}

    def answer(self, response: Any) -> ActiveProducers:
        parts = [(topic.name, part) for topic in response.topics for part in topic.partitions]
        errors = [part.error_code for _, part in parts if part.error_code != ErrorCode.none]
        return ActiveProducers(
            error=errors[0] if errors else ErrorCode.none,
            producers=tuple(
                ActiveProducer(
                    topic=topic,
                    partition=part.partition_index,
                    producer_id=each.producer_id,
                    epoch=each.producer_epoch,
                    coordinator_epoch=each.coordinator_epoch,
                    last_ms=each.last_timestamp,
                    started_at=each.current_txn_start_offset,
                )
                for topic, part in parts
                for each in part.active_producers
            ),
        )
