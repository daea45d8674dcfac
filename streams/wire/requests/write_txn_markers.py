"""WriteTxnMarkers (key 27): aborts a producer's transaction in one partition, asked of its leader. Source: KIP-664."""

from __future__ import annotations

from typing import Any, ClassVar

from kio.schema.errors import ErrorCode
from msgspec import Struct

from streams.wire.request import Api
from streams.wire.schema import Fields


class AbortInPartition(Struct, frozen=True, kw_only=True):
    topic: str
    partition: int
    producer_id: int
    epoch: int
    coordinator_epoch: int

    api: ClassVar[Api] = Api("WriteTxnMarkers", 27, 1, 2)

    def fields(self) -> Fields:
        marker = {
            "producer_id": self.producer_id,
            "producer_epoch": self.epoch,
            "transaction_result": False,
            "topics": ({"name": self.topic, "partition_indexes": (self.partition,)},),
            "coordinator_epoch": self.coordinator_epoch,
        }
        return {"markers": (marker,)}

    def answer(self, response: Any) -> ErrorCode:
        return response.markers[0].topics[0].partitions[0].error_code
