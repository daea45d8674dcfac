"""The rules a batch must keep: those its header shows, and, where the topic's configs ask for it, its records'.

Source: `LogValidator.validateRecord`, KIP-467 (record errors) of Apache Kafka.
"""

from __future__ import annotations

from struct import Struct

from kio.schema.errors import ErrorCode

from broker.log.errors import AppendRefused
from broker.protocol.batches import (
    CONTROL,
    HEADER_SIZE,
    LENGTH_OVERHEAD,
    LOG_APPEND_TIME,
    TRANSACTIONAL,
    BatchHeader,
    Buffer,
    CorruptBatchError,
    checksum,
    checksum_struct,
    decode_batch,
    read_header,
)
from broker.protocol.record_spans import record_bytes, records_without_key
from broker.topics.config import TopicConfig

attributes_struct = Struct(">h")
timestamp_struct = Struct(">q")


def check_header(header: tuple[int, ...], batch: Buffer, config: TopicConfig, partition: str) -> None:
    """Checks a batch of at least a header's size from a producer; raises AppendRefused."""
    size = len(batch)
    base_offset, length, _, magic, crc, attributes, last_delta, _, _, producer_id, _, _, count = header
    if magic != 2:
        # An old message set has its own layout; only its magic byte stands at the same place.
        code = ErrorCode.unsupported_for_message_format if magic in (0, 1) else ErrorCode.corrupt_message
        raise AppendRefused(code, f"Message format {magic} is not served, only v2")
    if length + LENGTH_OVERHEAD != size:
        if HEADER_SIZE <= length + LENGTH_OVERHEAD < size:
            raise AppendRefused(ErrorCode.invalid_record, "A produce request must have one batch per partition")
        raise AppendRefused(ErrorCode.corrupt_message, f"Batch length {length} does not fit its {size} bytes")
    if size > config.max_message_bytes:
        raise AppendRefused(
            ErrorCode.message_too_large,
            f"The record batch size in the append to {partition} is {size} bytes which exceeds the maximum "
            f"configured value of {config.max_message_bytes}.",
        )
    if checksum(batch) != crc:
        raise AppendRefused(ErrorCode.corrupt_message, f"Batch in the append to {partition} fails its checksum")
    if base_offset != 0 or count <= 0 or last_delta + 1 != count:
        raise AppendRefused(
            ErrorCode.invalid_record,
            f"Batch with base offset {base_offset}, last offset delta {last_delta} and {count} records",
        )
    if attributes & CONTROL:
        raise AppendRefused(ErrorCode.invalid_record, "Clients must not write control batches")
    if attributes & TRANSACTIONAL and producer_id < 0:
        raise AppendRefused(ErrorCode.invalid_record, "A transactional batch needs a producer id")


def check_contents(batch: bytearray | memoryview, config: TopicConfig, now: int) -> int:
    """Checks keys (compacted topics) and timestamps record by record, and stamps LogAppendTime; all in place.

    Returns the batch's largest timestamp. Raises AppendRefused.
    """
    header = read_header(batch)
    try:
        if config.compacted:
            check_keys(batch, header)
        if not config.log_append_time:
            check_timestamps(batch, header, now - config.timestamp_before_max_ms, now + config.timestamp_after_max_ms)
    except CorruptBatchError as error:
        raise AppendRefused(ErrorCode.corrupt_message, str(error)) from error
    if not config.log_append_time:
        return header.max_timestamp
    # The records' deltas stay as they are: the attribute says that the batch's own timestamp holds for all.
    attributes_struct.pack_into(batch, 21, header.attributes | LOG_APPEND_TIME)
    timestamp_struct.pack_into(batch, 35, now)
    checksum_struct.pack_into(batch, 17, checksum(batch))
    return now


def check_keys(batch: Buffer, header: BatchHeader) -> None:
    """Raises AppendRefused if a record has no key, CorruptBatchError."""
    keyless = records_without_key(record_bytes(batch, header), header)
    if keyless:
        raise AppendRefused(
            ErrorCode.invalid_record,
            "One or more records have been rejected: null key",
            tuple(
                (number, f"Compacted topic cannot accept message without key (record {number}).") for number in keyless
            ),
        )


def check_timestamps(batch: Buffer, header: BatchHeader, earliest: int, latest: int) -> None:
    """Raises AppendRefused if a record's timestamp is out of range, CorruptBatchError."""
    if earliest <= 0 and header.max_timestamp <= latest:
        return  # the header tells all there is to know
    untimely = [
        (number, f"Timestamp {record.timestamp} of record {number} is out of range.")
        for number, record in enumerate(decode_batch(batch))
        if not earliest <= record.timestamp <= latest
    ]
    if untimely:
        raise AppendRefused(
            ErrorCode.invalid_timestamp, "One or more records have been rejected: timestamp", tuple(untimely)
        )
