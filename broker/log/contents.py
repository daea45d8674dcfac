"""The rules that the records of a batch must keep, where a topic's configs ask for a look at them; and what is changed
in a batch before it is stored: its time (LogAppendTime) and its codec (`compression.type`).

Source: `LogValidator.validateMessagesAndAssignOffsets`, KIP-467 (record errors) of Apache Kafka.
"""

from __future__ import annotations

from struct import Struct

from kio.schema.errors import ErrorCode

from broker.log.errors import AppendRefused
from broker.protocol.batches import (
    CODEC_MASK,
    HEADER_SIZE,
    LENGTH_OVERHEAD,
    LOG_APPEND_TIME,
    NO_TIMESTAMP,
    BatchHeader,
    CorruptBatchError,
    OversizeBatchError,
    checksum,
    checksum_struct,
    read_header,
    record_bytes,
)
from broker.protocol.compression import compress
from broker.protocol.record_spans import record_spans, records_without_key
from broker.topics.config import TopicConfig

MAX_RECORDS = 1_000_000
"""In a batch that has to be opened: a megabyte can hold so many more that looking at them all stops everything else.
Producers split a batch that is refused as too large."""
SHOWN_ERRORS = 3

length_struct = Struct(">i")
attributes_struct = Struct(">h")
timestamp_struct = Struct(">q")

WritableBatch = bytearray | memoryview


def check_contents(batch: WritableBatch, config: TopicConfig, now: int, partition: str) -> tuple[WritableBatch, int]:
    """Checks keys (compacted topics) and timestamps record by record, stamps LogAppendTime in place, and changes the
    codec.

    Returns the batch to store, which is another one where the codec was changed, and its largest timestamp.
    Raises AppendRefused.
    """
    header = read_header(batch)
    if header.attributes & LOG_APPEND_TIME:
        header = unstamp(batch, header, config, now)
    recoded = config.codec is not None and config.codec != header.attributes & CODEC_MASK
    earliest, latest = now - config.timestamp_before_max_ms, now + config.timestamp_after_max_ms
    timely = config.log_append_time or (earliest <= NO_TIMESTAMP and header.max_timestamp <= latest)
    if config.compacted or recoded or not timely:
        try:
            if header.record_count > MAX_RECORDS:
                raise OversizeBatchError(f"{header.record_count} records")
            records = record_bytes(batch, header)
            if config.compacted:
                check_keys(records, header, partition)
            if not timely:
                check_timestamps(records, header, earliest, latest)
                if header.max_timestamp > latest:
                    problem = f"The largest timestamp {header.max_timestamp} of the batch is that of no record"
                    raise AppendRefused(ErrorCode.invalid_timestamp, problem)
            elif recoded and not config.compacted:
                record_spans(records, header)  # what is compressed anew must be what it claims to be
        except OversizeBatchError as error:
            raise AppendRefused(
                ErrorCode.message_too_large,
                f"The record batch in the append to {partition} is too large to be opened: {error}",
            ) from error
        except CorruptBatchError as error:
            raise AppendRefused(ErrorCode.corrupt_message, str(error)) from error
        if recoded:
            batch = recode(batch, header, records, config, partition)
    if not config.log_append_time:
        return batch, header.max_timestamp
    # The records' deltas stay as they are: the attribute says that the batch's own timestamp holds for all.
    attributes = attributes_struct.unpack_from(batch, 21)[0]
    attributes_struct.pack_into(batch, 21, attributes | LOG_APPEND_TIME)
    timestamp_struct.pack_into(batch, 35, now)
    checksum_struct.pack_into(batch, 17, checksum(batch))
    return batch, now


def unstamp(batch: WritableBatch, header: BatchHeader, config: TopicConfig, now: int) -> BatchHeader:
    """Takes back a producer's claim that the broker has stamped the batch, in place; to Kafka all records then have its
    largest timestamp (ms). Raises AppendRefused if that is out of range, or it is for the broker to stamp."""
    earliest, latest = now - config.timestamp_before_max_ms, now + config.timestamp_after_max_ms
    timestamp = header.max_timestamp
    if config.log_append_time or timestamp == NO_TIMESTAMP:
        problem = "Invalid timestamp type: producers should not set the timestamp type to LogAppendTime."
    elif not earliest <= timestamp <= latest:
        problem = f"Timestamp {timestamp} is out of range. The timestamp should be within [{earliest}, {latest}]"
    else:
        attributes = header.attributes & ~LOG_APPEND_TIME
        attributes_struct.pack_into(batch, 21, attributes)
        checksum_struct.pack_into(batch, 17, checksum(batch))
        return header._replace(attributes=attributes)
    raise AppendRefused(ErrorCode.invalid_timestamp, problem)


def recode(batch: WritableBatch, header: BatchHeader, records: bytes, config: TopicConfig, partition: str) -> bytearray:
    """The same records with the topic's codec. Raises AppendRefused if they have become too large for the topic."""
    assert config.codec is not None
    body = compress(config.codec, records, config.compression_level)
    size = HEADER_SIZE + len(body)
    if size > config.max_message_bytes:
        raise AppendRefused(
            ErrorCode.message_too_large,
            f"Message batch size is {size} bytes in append to partition {partition} which exceeds the maximum "
            f"configured size of {config.max_message_bytes}.",
        )
    recoded = bytearray(batch[:HEADER_SIZE])
    recoded += body
    length_struct.pack_into(recoded, 8, size - LENGTH_OVERHEAD)
    attributes_struct.pack_into(recoded, 21, header.attributes & ~CODEC_MASK | config.codec)
    checksum_struct.pack_into(recoded, 17, checksum(recoded))
    return recoded


def check_keys(records: bytes, header: BatchHeader, partition: str) -> None:
    """Raises AppendRefused if a record has no key, CorruptBatchError."""
    keyless = records_without_key(records, header)
    if keyless:
        problem = f"Compacted topic cannot accept message without key in topic partition {partition}."
        raise rejected(ErrorCode.invalid_record, [(number, problem) for number in keyless])


def check_timestamps(records: bytes, header: BatchHeader, earliest: int, latest: int) -> None:
    """Raises AppendRefused if a record's timestamp (ms) is out of range, CorruptBatchError. A record may have none."""
    base = header.base_timestamp
    untimely: list[tuple[int, str]] = []
    for number, span in enumerate(record_spans(records, header)):
        timestamp = base + span.timestamp_delta
        if not earliest <= timestamp <= latest and timestamp != NO_TIMESTAMP:
            untimely.append(
                (
                    number,
                    f"Timestamp {timestamp} of message with offset {span.offset_delta} is out of range. The timestamp "
                    f"should be within [{earliest}, {latest}]",
                )
            )
    if untimely:
        raise rejected(ErrorCode.invalid_timestamp, untimely)


def rejected(code: ErrorCode, errors: list[tuple[int, str]]) -> AppendRefused:
    """The refusal of a batch for some of its records, in Kafka's words."""
    if code is ErrorCode.invalid_timestamp:
        return AppendRefused(code, "One or more records have been rejected due to invalid timestamp", tuple(errors))
    shown = ", ".join(f"RecordError(batchIndex={number}, message='{text}')" for number, text in errors[:SHOWN_ERRORS])
    return AppendRefused(
        code,
        f"One or more records have been rejected due to {len(errors)} record errors in total, and only showing the "
        f"first three errors at most: [{shown}]",
        tuple(errors),
    )
