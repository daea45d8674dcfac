"""WriteTxnMarkers: ends a producer's transaction in one partition, whatever the coordinator knows of it.

That is how an administrator ends a transaction that hangs: one that is open in a partition, and that nobody will end.

Source: `KafkaApis.handleWriteTxnMarkersRequest`, `ProducerAppendInfo.appendEndTxnMarker` of Apache Kafka; KIP-664,
KIP-1228.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kio.schema.errors import ErrorCode

from broker.journal.entry import ProducerIdentity
from broker.protocol.control import marker_batch
from broker.topics.names import OFFSETS_TOPIC
from broker.transactions.transaction import V2, TopicPartition

if TYPE_CHECKING:
    from broker.log.producers import ProducerStates
    from broker.state import BrokerState

LOG = logging.getLogger("broker.transactions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """What is asked for. `coordinator_epoch`: of who asks; the lower one is fenced. `version`: of the transaction."""

    producer: ProducerIdentity
    commit: bool
    coordinator_epoch: int
    version: int = 0


async def write_marker(broker: BrokerState, at: TopicPartition, marker: Marker) -> ErrorCode:
    """Answers when the marker is as durable as the broker promises."""
    log = broker.logs.get(*at)
    if log is None:
        return ErrorCode.unknown_topic_or_partition
    refusal = check(log.producers, marker)
    if refusal is not None:
        return refusal
    producer = marker.producer
    LOG.info("%s: transaction of producer %d is ended by WriteTxnMarkers", log.name, producer.producer_id)
    if at[0] == OFFSETS_TOPIC:
        ended = await broker.groups.end_transaction(at[1], producer, commit=marker.commit)
        return ErrorCode.none if ended else ErrorCode.kafka_storage_error
    batch = marker_batch(
        producer.producer_id,
        producer.epoch,
        commit=marker.commit,
        timestamp_ms=broker.clock(),
        coordinator_epoch=marker.coordinator_epoch,
    )
    try:
        log.append_marker(batch, marker.coordinator_epoch)
        if broker.durable:
            await asyncio.shield(broker.group_commit.wait(log))
    except OSError as error:
        LOG.error("%s: cannot end the transaction of producer %d: %s", log.name, producer.producer_id, error)
        return ErrorCode.kafka_storage_error
    return ErrorCode.none


def check(producers: ProducerStates, marker: Marker) -> ErrorCode | None:
    """Why the marker is not to be written: NONE where it is there already, None where it is to be written."""
    producer_id, epoch = marker.producer
    known = producers.producers.get(producer_id)
    if known is None:
        return None
    if marker.version >= V2 and epoch == known.epoch:
        # Transactions v2 raise the epoch at every end: the marker was written before, or comes from the past.
        return ErrorCode.none if producer_id not in producers.open else ErrorCode.invalid_producer_epoch
    if epoch < known.epoch:
        return ErrorCode.invalid_producer_epoch
    if marker.coordinator_epoch < known.coordinator_epoch:
        return ErrorCode.transaction_coordinator_fenced
    return None
