"""A fetch answer as it goes over the wire, versions 4-18. Batches go from the file to the socket as they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from struct import Struct
from typing import NamedTuple
from uuid import UUID

from kio.schema.errors import ErrorCode

from broker.fetch.request import (
    FLEXIBLE_FROM,
    LOG_START_FROM,
    PREFERRED_REPLICA_FROM,
    SESSIONS_FROM,
    TopicKey,
)
from broker.log.aborted import AbortedTransaction
from broker.protocol.batches import Buffer
from broker.protocol.varint import write_uvarint

int16 = Struct(">h")
int32 = Struct(">i")
head_v7 = Struct(">ihi")  # throttle time, error, session id
line_v4 = Struct(">ihqq")
line_v5 = Struct(">ihqqq")
aborted_transaction = Struct(">qq")  # producer id, first offset
diverging_epoch = Struct(">BBBiqB")  # one tag: 0, of 13 bytes; epoch, end offset, no tags in it
no_preferred_replica = b"\xff\xff\xff\xff"


class Line(NamedTuple):
    """What a partition is answered; offsets are -1 where they are not known."""

    partition: int
    code: int
    watermark: int
    stable: int
    start: int
    aborted: Sequence[AbortedTransaction]
    records: bytes
    diverging: tuple[int, int] | None = None
    """The client's log is another one from here on: the largest epoch that both know, and its end here."""


def encode(
    version: int,
    topics: Sequence[tuple[TopicKey, Sequence[Line]]],
    *,
    committed: bool,
    session_id: int = 0,
    error: ErrorCode = ErrorCode.none,
) -> list[Buffer]:
    """The response body, in parts. `committed`: lists of aborted transactions are there, and not null."""
    flexible = version >= FLEXIBLE_FROM
    with_start = version >= LOG_START_FROM
    with_replica = version >= PREFERRED_REPLICA_FROM
    array_length: Callable[[int], bytes] = compact_length if flexible else int32.pack
    no_aborted = array_length(0) if committed else (b"\0" if flexible else b"\xff\xff\xff\xff")
    replica = no_preferred_replica if with_replica else b""
    end = b"\0" if flexible else b""
    empty = no_aborted + replica + array_length(0) + end
    """What follows the offsets of a partition with nothing to read. Empty, never null: clients trip over null."""
    head = bytearray(head_v7.pack(0, error.value, session_id) if version >= SESSIONS_FROM else 4)
    head += array_length(len(topics))
    parts: list[Buffer] = []
    for topic, lines in topics:
        if isinstance(topic, UUID):
            head += topic.bytes
        else:
            data = topic.encode()
            head += compact_length(len(data)) if flexible else int16.pack(len(data))
            head += data
        head += array_length(len(lines))
        for partition, code, watermark, stable, start, aborted, records, diverging in lines:
            if with_start:
                head += line_v5.pack(partition, code, watermark, stable, start)
            else:
                head += line_v4.pack(partition, code, watermark, stable)
            if not records:
                head += empty
                if diverging is not None:  # from v12 on
                    head[-1:] = diverging_epoch.pack(1, 0, 13, *diverging, 0)
                continue
            if aborted:
                head += array_length(len(aborted))
                for transaction in aborted:
                    head += aborted_transaction.pack(transaction.producer_id, transaction.first_offset)
                    head += end
            else:
                head += no_aborted
            head += replica
            head += array_length(len(records))
            parts += (head, records)
            head = bytearray(end)
        head += end
    head += end
    parts.append(head)
    return parts


def compact_length(count: int) -> bytes:
    return write_uvarint(count + 1)
