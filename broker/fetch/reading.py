"""What a fetch gets of one partition."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from uuid import UUID

from kio.schema.errors import ErrorCode

from broker.fetch.answer import Line
from broker.fetch.request import TopicKey, Wanted
from broker.log.aborted import AbortedTransaction
from broker.log.partition import PartitionLog
from broker.protocol.batches import CorruptBatchError
from broker.state import BrokerState

LOG = logging.getLogger("broker.fetch")


def topic_name(broker: BrokerState, topic: TopicKey) -> str:
    """The name behind a topic key; "" for an id nobody has."""
    if not isinstance(topic, UUID):
        return topic
    known = broker.topics.by_id(topic)
    return known.name if known is not None else ""


def refusal(partition: int, code: ErrorCode) -> Line:
    """A partition that cannot be read; as in Kafka, no offsets are told then."""
    return Line(partition, code.value, -1, -1, -1, (), b"")


def read_line(
    log: PartitionLog | None, topic: TopicKey, name: str, wanted: Wanted, room: int, *, committed: bool, first: bool
) -> Line:
    """One partition's records, up to its limit and to `room`, the bytes that are left in the answer. `first`: the
    answer is empty so far, so the first batch comes whatever its size."""
    partition, leader_epoch, offset, max_bytes, last_epoch = wanted
    if log is None:
        unknown_id = isinstance(topic, UUID) and not name
        return refusal(partition, ErrorCode.unknown_topic_id if unknown_id else ErrorCode.unknown_topic_or_partition)
    if leader_epoch >= 0 and leader_epoch != log.leader_epoch:
        return refusal(partition, log.check_epoch(leader_epoch))
    watermark, stable, start = log.high_watermark, log.stable.offset, log.start_offset
    if last_epoch >= 0 and offset >= start:
        epoch, end = log.epochs.end_of(last_epoch, log.end_offset)
        if end < 0:
            return refusal(partition, ErrorCode.offset_out_of_range)
        if epoch < last_epoch or end < offset:
            return Line(partition, 0, watermark, stable, start, (), b"", (epoch, end))
    if not start <= offset <= log.end_offset:
        return refusal(partition, ErrorCode.offset_out_of_range)
    limit = min(max_bytes, room)
    if offset >= (stable if committed else watermark) or (limit <= 0 and not first):
        return Line(partition, 0, watermark, stable, start, (), b"")
    aborted: Sequence[AbortedTransaction] = ()
    try:
        if committed:
            records, aborted = log.reader.read_committed(offset, limit, at_least_one=first)
        else:
            records = log.reader.read(offset, limit, at_least_one=first)
    except OSError as error:
        LOG.error("%s: cannot read at offset %d: %s", log.name, offset, error)
        return refusal(partition, ErrorCode.kafka_storage_error)
    except CorruptBatchError as error:
        log.reader.report(error)
        return refusal(partition, ErrorCode.corrupt_message)
    return Line(partition, 0, watermark, stable, start, aborted, records)
