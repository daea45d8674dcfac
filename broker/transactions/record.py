"""A transactional id's record in `__transaction_state`.

```
key    version int16 = 0 · transactional id string
value  version int16 = 1 · producer id int64 · epoch int16 · timeout ms int32 · state int8 ·
       partitions compact nullable array (topic compact string · partitions compact array int32 · tags) ·
       last update ms int64 · start ms int64 · tags
       (0 previous producer id int64, 1 next producer id int64, 2 client version int16, 1000 last epoch int16)
```
A null value deletes what its key names. Tags that have their default are left out. Kafka does not keep the last epoch:
its producers are fenced if the coordinator fails between a bump and its answer; here they are not.
Source: TransactionLogKey.json, TransactionLogValue.json of Apache Kafka.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from struct import Struct
from struct import error as StructError

from broker.journal.errors import JournalRecordError
from broker.journal.fields import FieldReader, FieldWriter
from broker.protocol.varint import read_uvarint, write_uvarint
from broker.transactions.state import TransactionState
from broker.transactions.transaction import NO_EPOCH, NO_PRODUCER, TopicPartition, Transaction

KEY_VERSION = 0
VALUE_VERSION = 1
PREVIOUS_PRODUCER, NEXT_PRODUCER, CLIENT_VERSION, LAST_EPOCH_TAG = 0, 1, 2, 1000
int16, int32, int64 = Struct(">h"), Struct(">i"), Struct(">q")
head = Struct(">hqhib")
times = Struct(">qq")


def encode_key(transactional_id: str) -> bytes:
    return FieldWriter().int16(KEY_VERSION).string(transactional_id).bytes()


def decode_key(data: bytes) -> str | None:
    """The transactional id, or None for a kind of record that a later broker may have added: skip those."""
    reader = FieldReader(data)
    return reader.string() if reader.int16() == KEY_VERSION else None


def encode(transaction: Transaction) -> bytes:
    state = transaction.state.number
    parts = [
        head.pack(VALUE_VERSION, transaction.producer_id, transaction.epoch, transaction.timeout_ms, state),
        encode_partitions(transaction.partitions),
        times.pack(transaction.updated_ms, transaction.started_ms),
    ]
    tags = [
        (PREVIOUS_PRODUCER, int64, transaction.previous_producer_id, NO_PRODUCER),
        (NEXT_PRODUCER, int64, transaction.next_producer_id, NO_PRODUCER),
        (CLIENT_VERSION, int16, transaction.client_version, 0),
        (LAST_EPOCH_TAG, int16, transaction.last_epoch, NO_EPOCH),
    ]
    told = [(tag, form.pack(value)) for tag, form, value, default in tags if value != default]
    parts.append(write_uvarint(len(told)))
    for tag, content in told:
        parts += (write_uvarint(tag), write_uvarint(len(content)), content)
    return b"".join(parts)


def encode_partitions(partitions: frozenset[TopicPartition]) -> bytes:
    topics = [(topic, [index for _, index in group]) for topic, group in groupby(sorted(partitions), key=topic_of)]
    out = bytearray(write_uvarint(len(topics) + 1))
    for topic, indexes in topics:
        name = topic.encode()
        out += write_uvarint(len(name) + 1) + name
        out += write_uvarint(len(indexes) + 1)
        for index in indexes:
            out += int32.pack(index)
        out += b"\0"
    return bytes(out)


def topic_of(partition: TopicPartition) -> str:
    return partition[0]


def decode(transactional_id: str, data: bytes) -> Transaction:
    """Raises JournalRecordError."""
    try:
        version, producer_id, epoch, timeout_ms, state = head.unpack_from(data)
        if version != VALUE_VERSION:
            raise JournalRecordError(f"transaction of version {version}; this broker reads {VALUE_VERSION}")
        partitions, position = decode_partitions(data, head.size)
        updated_ms, started_ms = times.unpack_from(data, position)
        tags = dict(decode_tags(data, position + times.size))
        return Transaction(
            transactional_id=transactional_id,
            producer_id=producer_id,
            epoch=epoch,
            last_epoch=tags.get(LAST_EPOCH_TAG, NO_EPOCH),
            previous_producer_id=tags.get(PREVIOUS_PRODUCER, NO_PRODUCER),
            next_producer_id=tags.get(NEXT_PRODUCER, NO_PRODUCER),
            timeout_ms=timeout_ms,
            state=TransactionState.of(state),
            partitions=frozenset(partitions),
            started_ms=started_ms,
            updated_ms=updated_ms,
            client_version=tags.get(CLIENT_VERSION, 0),
        )
    except (StructError, IndexError, ValueError) as error:
        raise JournalRecordError(f"transaction of {transactional_id!r}: {error}") from error


def decode_partitions(data: bytes, position: int) -> tuple[list[TopicPartition], int]:
    count, position = read_uvarint(data, position)
    partitions: list[TopicPartition] = []
    for _ in range(count - 1):
        length, position = read_uvarint(data, position)
        topic = data[position : position + length - 1].decode()
        indexes, position = read_uvarint(data, position + length - 1)
        for _ in range(indexes - 1):
            partitions.append((topic, int32.unpack_from(data, position)[0]))
            position += int32.size
        position += 1  # no tags
    return partitions, position


def decode_tags(data: bytes, position: int) -> Iterator[tuple[int, int]]:
    """(tag, value) of those this broker knows."""
    count, position = read_uvarint(data, position)
    for _ in range(count):
        tag, position = read_uvarint(data, position)
        size, position = read_uvarint(data, position)
        if position + size > len(data):
            raise ValueError(f"a tag of {size} bytes where {len(data) - position} are left")
        if tag in (PREVIOUS_PRODUCER, NEXT_PRODUCER, CLIENT_VERSION, LAST_EPOCH_TAG):
            yield tag, int.from_bytes(data[position : position + size], "big", signed=True)
        position += size
