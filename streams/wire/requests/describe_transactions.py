"""DescribeTransactions (key 65): what the coordinator knows of a transactional id. Source: KIP-664."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from kio.schema.errors import ErrorCode
from msgspec import Struct

from streams.wire.request import Api
from streams.wire.schema import Fields

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


class DescribedTransaction(Struct, frozen=True, kw_only=True):
    """`started_ms`: since the epoch, not above 0 where no transaction is open."""

    error: ErrorCode
    state: str
    producer_id: int
    epoch: int
    timeout_ms: int
    started_ms: int
    partitions: tuple[tuple[str, int], ...]


class DescribeTransactions(Struct, frozen=True, kw_only=True):
    transactional_id: str

    api: ClassVar[Api] = Api("DescribeTransactions", 65, 0, 0)

    def fields(self) -> Fields:
        return {"transactional_ids": (self.transactional_id,)}

    def answer(self, response: Any) -> DescribedTransaction:
        (found,) = response.transaction_states
        started = found.transaction_start_time
        return DescribedTransaction(
            error=found.error_code,
            state=found.transaction_state,
            producer_id=found.producer_id,
            epoch=found.producer_epoch,
            timeout_ms=found.transaction_timeout // MILLISECOND,
            started_ms=-1 if started is None else (started - EPOCH) // MILLISECOND,
            partitions=tuple((topic.topic, partition) for topic in found.topics for partition in topic.partitions),
        )
