"""Snapshot file `<offset, 20 digits>.snapshot`: the producers' state before that offset; recovery reads from there on.

version uint8 · crc32c uint32 of the rest · per producer: id int64 · epoch int16 · last timestamp int64 ·
first offset of the open transaction int64 (-1: none) · count uint8 ·
per batch: first sequence int32 · last sequence int32 · base offset int64 · timestamp int64
"""

from __future__ import annotations

from struct import Struct
from struct import error as StructError

from broker.log.producers import Producer, ProducerStates
from broker.protocol.checksum import crc32c

SNAPSHOT_VERSION = 2
NO_TRANSACTION = -1
header_struct = Struct(">BI")
producer_struct = Struct(">qhqqB")
batch_struct = Struct(">iiqq")


class SnapshotError(Exception):
    """A snapshot file that cannot be used; older ones or a scan must do."""


def encode_snapshot(states: ProducerStates) -> bytes:
    body = bytearray()
    for producer_id, producer in states.producers.items():
        transaction = states.open.get(producer_id)
        first_offset = NO_TRANSACTION if transaction is None else transaction.first_offset
        body += producer_struct.pack(
            producer_id, producer.epoch, producer.last_timestamp, first_offset, len(producer.batches)
        )
        for batch in producer.batches:
            body += batch_struct.pack(*batch)
    return header_struct.pack(SNAPSHOT_VERSION, crc32c(body)) + body


def decode_snapshot(content: bytes) -> ProducerStates:
    """Raises SnapshotError."""
    states = ProducerStates()
    opened: list[tuple[int, int]] = []
    try:
        version, checksum = header_struct.unpack_from(content)
        if version != SNAPSHOT_VERSION or checksum != crc32c(memoryview(content)[header_struct.size :]):
            raise SnapshotError("unknown version or wrong checksum")
        position = header_struct.size
        while position < len(content):
            producer_id, epoch, last_timestamp, first_offset, count = producer_struct.unpack_from(content, position)
            position += producer_struct.size
            producer = states.producers[producer_id] = Producer(epoch, last_timestamp)
            if first_offset != NO_TRANSACTION:
                opened.append((first_offset, producer_id))
            for _ in range(count):
                producer.batches.append(batch_struct.unpack_from(content, position))
                position += batch_struct.size
    except StructError as error:
        raise SnapshotError(str(error)) from error
    for first_offset, producer_id in sorted(opened):
        states.begin(producer_id, first_offset, 0)
    return states
