"""Where the records of a batch stand and what their keys are, without building a `Record` of each.

For what has to look at every record of a compacted topic: the check for keys on produce, and the cleaner.
"""

from __future__ import annotations

from typing import NamedTuple

from broker.protocol.batches import BatchHeader, CorruptBatchError
from broker.protocol.varint import read_varlong


class RecordSpan(NamedTuple):
    """One record within the uncompressed records of its batch: bytes `start` to `end`, its length field included.

    `rest` is the position behind the timestamp delta (ms, from the batch's base timestamp).
    """

    start: int
    end: int
    rest: int
    timestamp_delta: int
    offset_delta: int
    key: bytes | None
    tombstone: bool


def record_spans(records: bytes, header: BatchHeader) -> list[RecordSpan]:
    """The records in order; their headers are not looked at. Raises CorruptBatchError where they do not parse.

    Written out, as it runs for every record: nearly all integers take one byte, and those are read without a call.
    """
    spans: list[RecordSpan] = []
    make = RecordSpan._make
    position = 0
    try:
        for _ in range(header.record_count):
            start = position
            byte = records[position]
            if byte < 0x80:
                length = (byte >> 1) ^ -(byte & 1)
                position += 1
            else:
                length, position = read_varlong(records, position)
            end = position + length
            position += 1  # attributes, unused
            byte = records[position]
            if byte < 0x80:
                timestamp_delta = (byte >> 1) ^ -(byte & 1)
                rest = position + 1
            else:
                timestamp_delta, rest = read_varlong(records, position)
            byte = records[rest]
            if byte < 0x80:
                offset_delta = (byte >> 1) ^ -(byte & 1)
                position = rest + 1
            else:
                offset_delta, position = read_varlong(records, rest)
            byte = records[position]
            if byte < 0x80:
                size = (byte >> 1) ^ -(byte & 1)
                position += 1
            else:
                size, position = read_varlong(records, position)
            if size < 0:
                key = None
            else:
                key = records[position : position + size]
                position += size
            byte = records[position]
            if byte < 0x80:
                size = (byte >> 1) ^ -(byte & 1)
                position += 1
            else:
                size, position = read_varlong(records, position)
            if position + max(size, 0) >= end or end > len(records):  # there is a header count yet to come
                raise ValueError("a record's length does not fit its fields")
            spans.append(make((start, end, rest, timestamp_delta, offset_delta, key, size < 0)))
            position = end
    except (IndexError, ValueError) as error:
        raise CorruptBatchError(f"batch at offset {header.base_offset}: malformed record: {error}") from error
    if position != len(records):
        raise CorruptBatchError(f"batch at offset {header.base_offset}: {len(records) - position} bytes too many")
    return spans


def records_without_key(records: bytes, header: BatchHeader) -> list[int]:
    """Numbers of the records whose key is null. Raises CorruptBatchError where they do not parse that far.

    As above, without anything that is not asked for: it runs for every record that goes into a compacted topic.
    """
    found: list[int] = []
    position = 0
    try:
        for number in range(header.record_count):
            byte = records[position]
            if byte < 0x80:
                end = position + 1 + ((byte >> 1) ^ -(byte & 1))
                position += 2
            else:
                length, position = read_varlong(records, position)
                end = position + length
                position += 1
            while records[position] >= 0x80:  # timestamp delta
                position += 1
            position += 1
            while records[position] >= 0x80:  # offset delta
                position += 1
            if records[position + 1] & 1:  # zigzag: odd is negative
                found.append(number)
            if position + 3 >= end:  # the lengths of key and value, and a header count, are yet to come
                raise ValueError("a record's length does not fit its fields")
            position = end
    except (IndexError, ValueError) as error:
        raise CorruptBatchError(f"batch at offset {header.base_offset}: malformed record: {error}") from error
    if position != len(records):
        raise CorruptBatchError(f"batch at offset {header.base_offset}: {len(records) - position} bytes too many")
    return found
