"""Record batches (message format v2): the header at its fixed offsets, the checks on produce, and the records inside.

A batch travels from the socket to the segment file and back as bytes. Its checksum covers everything from `attributes`
on, so base offset and leader epoch, which the broker assigns, are patched in place.

    baseOffset 0:8 · batchLength 8:12 · partitionLeaderEpoch 12:16 · magic 16 · crc 17:21 · attributes 21:23 ·
    lastOffsetDelta 23:27 · baseTimestamp 27:35 · maxTimestamp 35:43 · producerId 43:51 · producerEpoch 51:53 ·
    baseSequence 53:57 · count 57:61

Source: `DefaultRecordBatch`, `LogValidator` of Apache Kafka.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import NamedTuple, TypeAlias

from broker.protocol.checksum import crc32c
from broker.protocol.compression import InflatedSizeError, decompress
from broker.protocol.varint import read_varlong, write_varlong

Buffer: TypeAlias = bytes | bytearray | memoryview

HEADER_SIZE = 61
LENGTH_OVERHEAD = 12
"""Bytes before what `batchLength` counts."""
CHECKED_FROM = 21
"""The checksum covers the batch from here to its end."""
NO_PRODUCER = -1
NO_SEQUENCE = -1
NO_TIMESTAMP = -1

CODEC_MASK = 0x07
LOG_APPEND_TIME = 0x08
TRANSACTIONAL = 0x10
CONTROL = 0x20
DELETE_HORIZON = 0x40
"""The base timestamp is the time (ms) from which the batch's tombstones may be dropped (KIP-534)."""

header_struct = Struct(">qiibIhiqqqhii")
offset_and_length = Struct(">qi")
assigned = Struct(">qii")
checksum_struct = Struct(">I")


class CorruptBatchError(Exception):
    """Bytes that are not a batch of records in format v2, or a batch that was damaged."""


class OversizeBatchError(CorruptBatchError):
    """A batch that has more inside than this broker opens."""


class BatchHeader(NamedTuple):
    """The fixed fields of a batch in wire order."""

    base_offset: int
    length: int
    leader_epoch: int
    magic: int
    crc: int
    attributes: int
    last_offset_delta: int
    base_timestamp: int
    max_timestamp: int
    producer_id: int
    producer_epoch: int
    base_sequence: int
    record_count: int


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a batch; timestamp in ms since the epoch."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()


def read_header(buffer: Buffer, position: int = 0) -> BatchHeader:
    """The header at a position. Raises struct.error if fewer than 61 bytes are left."""
    return BatchHeader._make(header_struct.unpack_from(buffer, position))


def checksum(batch: Buffer) -> int:
    """CRC-32C as the header should have it."""
    return crc32c(memoryview(batch)[CHECKED_FROM:])


def walk(buffer: Buffer, position: int = 0) -> Iterator[tuple[int, int]]:
    """(position, size) of every whole batch that follows another; an incomplete one at the end is left out."""
    end = len(buffer)
    while position + HEADER_SIZE <= end:
        size = offset_and_length.unpack_from(buffer, position)[1] + LENGTH_OVERHEAD
        if size < HEADER_SIZE or position + size > end:
            return
        yield position, size
        position += size


def encode_batch(
    records: Sequence[tuple[bytes | None, bytes | None]],
    timestamp_ms: int,
    *,
    attributes: int = 0,
    producer_id: int = NO_PRODUCER,
    producer_epoch: int = -1,
    base_sequence: int = NO_SEQUENCE,
) -> bytearray:
    """One uncompressed batch of (key, value) pairs, all with the same timestamp; the base offset is 0."""
    body = bytearray()
    for delta, (key, value) in enumerate(records):
        record = b"".join(
            (
                b"\0\0",  # attributes, timestamp delta
                write_varlong(delta),
                write_varlong(-1) if key is None else write_varlong(len(key)) + key,
                write_varlong(-1) if value is None else write_varlong(len(value)) + value,
                b"\0",  # no headers
            )
        )
        body += write_varlong(len(record))
        body += record
    count = len(records)
    batch = bytearray(HEADER_SIZE) + body
    header_struct.pack_into(
        batch, 0, 0, len(batch) - LENGTH_OVERHEAD, 0, 2, 0, attributes, count - 1, timestamp_ms, timestamp_ms,
        producer_id, producer_epoch, base_sequence, count,
    )  # fmt: skip
    checksum_struct.pack_into(batch, 17, checksum(batch))
    return batch


def record_bytes(batch: Buffer, header: BatchHeader) -> bytes:
    """The records of a batch, decompressed. Raises CorruptBatchError, OversizeBatchError."""
    data = memoryview(batch)[HEADER_SIZE : header.length + LENGTH_OVERHEAD]
    codec = header.attributes & CODEC_MASK
    if not codec:
        return bytes(data)
    try:
        return decompress(codec, data)
    except InflatedSizeError as error:
        raise OversizeBatchError(f"batch at offset {header.base_offset}: {error}") from error
    except Exception as error:  # each codec has errors of its own; all mean the same here
        raise CorruptBatchError(f"batch at offset {header.base_offset}: cannot decompress: {error}") from error


def decode_batch(batch: Buffer) -> Iterator[Record]:
    """The records of a batch in order, decompressed. Raises CorruptBatchError where they do not parse."""
    header = read_header(batch)
    data: Buffer = record_bytes(batch, header)
    append_time = header.max_timestamp if header.attributes & LOG_APPEND_TIME else None
    position = 0
    try:
        for _ in range(header.record_count):
            record, position = decode_record(data, position, header, append_time)
            yield record
    except (IndexError, ValueError) as error:
        raise CorruptBatchError(f"batch at offset {header.base_offset}: malformed record: {error}") from error
    if position != len(data):
        raise CorruptBatchError(f"batch at offset {header.base_offset}: {len(data) - position} bytes too many")


def decode_record(data: Buffer, position: int, header: BatchHeader, append_time: int | None) -> tuple[Record, int]:
    """The record at a position of the uncompressed records, and the position behind it."""
    length, position = read_varlong(data, position)
    end = position + length
    if length < 0 or end > len(data):
        raise ValueError(f"a record of {length} bytes where {len(data) - position} are left")
    position += 1  # attributes, unused
    timestamp_delta, position = read_varlong(data, position)
    offset_delta, position = read_varlong(data, position)
    key, position = read_bytes(data, position, end)
    value, position = read_bytes(data, position, end)
    header_count, position = read_varlong(data, position)
    headers: list[tuple[str, bytes | None]] = []
    if not 0 <= header_count <= length:
        raise ValueError(f"{header_count} headers in {length} bytes")
    for _ in range(header_count):
        name, position = read_bytes(data, position, end)
        if name is None:
            raise ValueError("a header without a name")
        content, position = read_bytes(data, position, end)
        headers.append((name.decode(), content))
    if position != end:
        raise ValueError("a record's length does not fit its fields")
    timestamp = header.base_timestamp + timestamp_delta if append_time is None else append_time
    return Record(header.base_offset + offset_delta, timestamp, key, value, tuple(headers)), end


def read_bytes(data: Buffer, position: int, end: int) -> tuple[bytes | None, int]:
    """A nullable byte string with a varint length, and the position behind it."""
    size, position = read_varlong(data, position)
    if size < 0:
        return None, position
    if position + size > end:
        raise ValueError(f"a field of {size} bytes where {end - position} are left")
    return bytes(data[position : position + size]), position + size
