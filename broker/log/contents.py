"""What a partition asks of a batch beyond its header, where the topic's configs make it look further.

Source: `LogValidator.validateRecord`, KIP-467 (record errors) of Apache Kafka.
"""

from __future__ import annotations

from struct import Struct

from kio.schema.errors import ErrorCode

from broker.log.errors import AppendRefused
from broker.protocol.batches import (
    LOG_APPEND_TIME,
    CorruptBatchError,
    checksum,
    checksum_struct,
    decode_batch,
    read_header,
)
from broker.topics.config import TopicConfig

attributes_struct = Struct(">h")
timestamp_struct = Struct(">q")


def check_contents(batch: bytearray | memoryview, config: TopicConfig, now: int) -> int:
    """Checks keys (compacted topics) and timestamps record by record, and stamps LogAppendTime; all in place.

    Returns the batch's largest timestamp. Raises AppendRefused.
    """
    header = read_header(batch)
    too_early = now - config.timestamp_before_max_ms
    too_late = now + config.timestamp_after_max_ms
    keyless: list[tuple[int, str]] = []
    untimely: list[tuple[int, str]] = []
    try:
        for number, record in enumerate(decode_batch(batch)):
            if config.compacted and record.key is None:
                keyless.append((number, f"Compacted topic cannot accept message without key (record {number})."))
            if not config.log_append_time and not too_early <= record.timestamp <= too_late:
                untimely.append((number, f"Timestamp {record.timestamp} of record {number} is out of range."))
    except CorruptBatchError as error:
        raise AppendRefused(ErrorCode.corrupt_message, str(error)) from error
    if keyless:
        raise AppendRefused(
            ErrorCode.invalid_record, "One or more records have been rejected: null key", tuple(keyless)
        )
    if untimely:
        raise AppendRefused(
            ErrorCode.invalid_timestamp, "One or more records have been rejected: timestamp", tuple(untimely)
        )
    if not config.log_append_time:
        return header.max_timestamp
    # The records' deltas stay as they are: the attribute says that the batch's own timestamp holds for all.
    attributes_struct.pack_into(batch, 21, header.attributes | LOG_APPEND_TIME)
    timestamp_struct.pack_into(batch, 35, now)
    checksum_struct.pack_into(batch, 17, checksum(batch))
    return now
