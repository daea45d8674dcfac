"""The rules a batch must keep: those its header shows.

Source: `ProduceRequest.validateRecords`, `UnifiedLog.analyzeAndValidateRecords` and `LogValidator.validateBatch` of
Apache Kafka, in the order in which they are asked there.
"""

from __future__ import annotations

from kio.schema.errors import ErrorCode

from broker.log.errors import AppendRefused
from broker.protocol.batches import (
    CODEC_MASK,
    CONTROL,
    HEADER_SIZE,
    LENGTH_OVERHEAD,
    TRANSACTIONAL,
    Buffer,
    checksum,
)
from broker.protocol.compression import Codec
from broker.topics.config import TopicConfig

LEAST_LENGTH = 14
"""Of a record of the oldest format: less than that is no length at all."""


def check_header(header: tuple[int, ...], batch: Buffer, config: TopicConfig, partition: str) -> None:
    """Checks a batch of at least a header's size from a producer; raises AppendRefused."""
    size = len(batch)
    base_offset, length, _, magic, crc, attributes, last_delta, _, _, producer_id, _, sequence, count = header
    if length + LENGTH_OVERHEAD != size or magic != 2:
        raise not_one_batch(length, magic, size)
    if base_offset:
        raise invalid(
            f"The baseOffset of the record batch in the append to {partition} should be 0, but it is {base_offset}"
        )
    if size > config.max_message_bytes:
        raise AppendRefused(
            ErrorCode.message_too_large,
            f"The record batch size in the append to {partition} is {size} bytes which exceeds the maximum "
            f"configured value of {config.max_message_bytes}.",
        )
    computed = checksum(batch)
    if computed != crc:
        raise AppendRefused(
            ErrorCode.corrupt_message,
            f"Record is corrupt (stored crc = {crc}, computed crc = {computed}) in topic partition {partition}.",
        )
    if last_delta < 0 or count <= 0 or last_delta + 1 != count:
        raise invalid(
            f"Inconsistent batch offset range [0, {last_delta}] and count of records {count} in topic partition "
            f"{partition}."
        )
    if attributes & CONTROL:
        raise invalid(f"Clients are not allowed to write control records in topic partition {partition}.")
    if attributes & CODEC_MASK > Codec.ZSTD:
        raise AppendRefused(
            ErrorCode.unsupported_compression_type, f"Unknown compression type id: {attributes & CODEC_MASK}"
        )
    if producer_id >= 0:
        if sequence < 0:
            raise invalid(
                f"Invalid sequence number {sequence} in record batch with producerId {producer_id} in topic partition "
                f"{partition}."
            )
    elif attributes & TRANSACTIONAL:
        raise invalid(f"A transactional batch in the append to {partition} needs a producer id")


def not_one_batch(length: int, magic: int, size: int) -> AppendRefused:
    """Why the bytes are not one batch of format v2."""
    if length < LEAST_LENGTH:
        return AppendRefused(
            ErrorCode.corrupt_message, f"Record size {length} is less than the minimum record overhead ({LEAST_LENGTH})"
        )
    if length + LENGTH_OVERHEAD > size:
        return invalid(
            f"Produce requests must have at least one record batch per partition; one of {length + LENGTH_OVERHEAD} "
            f"bytes was announced, there are {size}"
        )
    if magic in (0, 1):
        return invalid("Produce requests are only allowed to contain record batches with magic version 2")
    if magic != 2 or length + LENGTH_OVERHEAD < HEADER_SIZE:
        return AppendRefused(ErrorCode.corrupt_message, f"Invalid magic {magic} or size {length} of a record batch")
    return invalid("Produce requests are only allowed to contain exactly one record batch per partition")


def invalid(message: str) -> AppendRefused:
    return AppendRefused(ErrorCode.invalid_record, message)
