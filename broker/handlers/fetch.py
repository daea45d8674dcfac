"""Fetch (key 1), versions 4-18.

v4 record batches, isolation level · v5 log start offset · v7 sessions (KIP-227; answered with session 0, so every
fetch is a full one) · v9 leader epochs · v10 zstd · v11 rack · v12 flexible · v13 topic ids instead of names ·
v15 replica state in a tagged field · v16 endpoints · v17 directory id · v18 high watermark (tagged, for replicas).
With isolation level read_committed it ends at the last stable offset, and the answer names the aborted transactions.
A fetch waits until `min_bytes` are there or `max_wait` is over. Batches come whole; the first one of the first
partition with data comes whatever its size. Records are empty, never null, where there is no data.

Hand-coded: this is the hot path. Batches go from the file to the socket as they are.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence, Set
from struct import Struct
from struct import error as StructError
from typing import NamedTuple, TypeAlias
from uuid import UUID

from kio.schema.errors import ErrorCode

from broker.handlers.denied_topics import NONE_DENIED, denied_topics
from broker.log.aborted import AbortedTransaction
from broker.log.partition import LEADER_EPOCH, PartitionLog
from broker.log.waiter import Waiter
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.protocol.batches import Buffer
from broker.protocol.errors import MalformedRequestError
from broker.protocol.varint import read_uvarint, skip_tags, write_uvarint
from broker.security.operation import AclOperation
from broker.server.context import RequestContext
from broker.state import BrokerState

LOG = logging.getLogger("broker.fetch")

LOG_START_FROM = 5
SESSIONS_FROM = 7
PREFERRED_REPLICA_FROM = 11
FLEXIBLE_FROM = 12
TOPIC_IDS_FROM = 13
READ_COMMITTED = 1

int16 = Struct(">h")
int32 = Struct(">i")
limits = Struct(">iiib")  # max wait, min bytes, max bytes, isolation level
answer_v4 = Struct(">ihqq")
answer_v5 = Struct(">ihqqq")
aborted_transaction = Struct(">qq")  # producer id, first offset
no_preferred_replica = b"\xff\xff\xff\xff"

TopicKey: TypeAlias = str | UUID


class Wanted(NamedTuple):
    """One partition of a fetch."""

    partition: int
    leader_epoch: int
    offset: int
    max_bytes: int


class FetchRequest(NamedTuple):
    """What a client wants; times in ms, sizes in bytes."""

    version: int
    max_wait: int
    min_bytes: int
    max_bytes: int
    isolation_level: int
    topics: list[tuple[TopicKey, list[Wanted]]]
    denied: Set[TopicKey] = NONE_DENIED
    """Topics that who asks must not read."""


@api(ApiKey.FETCH, 4, 18, raw=True, flexible_from=FLEXIBLE_FROM)
def handle(ctx: RequestContext, frame: memoryview, position: int) -> list[Buffer] | asyncio.Future[list[Buffer]]:
    try:
        request = read(frame, position, ctx.version)
    except (StructError, ValueError) as error:
        raise MalformedRequestError(str(error)) from error
    if ctx.broker.authorizer is not None:
        topics = (topic for topic, _ in request.topics)
        request = request._replace(denied=denied_topics(ctx, AclOperation.READ, topics))
    size, at_once, parts = answer(ctx.broker, request)
    if at_once or size >= request.min_bytes or request.max_wait <= 0:
        return parts
    parked = ParkedFetch(ctx.broker, request, request.min_bytes - size)
    return parked.future


class ParkedFetch:
    """A fetch that waits for more bytes in any of its partitions, or for its time to be over."""

    __slots__ = ("broker", "future", "missing", "queues", "request", "timer", "woken")

    def __init__(self, broker: BrokerState, request: FetchRequest, missing: int) -> None:
        loop = asyncio.get_running_loop()
        self.broker = broker
        self.request = request
        self.missing = missing
        """Bytes to come before it is worth an answer."""
        self.future: asyncio.Future[list[Buffer]] = loop.create_future()
        self.woken = False
        self.timer = loop.call_later(request.max_wait / 1000, self.complete)
        self.queues: list[set[Waiter]] = []
        """Where it waits."""
        for topic, partitions in request.topics:
            name = topic_name(broker, topic)
            for wanted in partitions:
                log = broker.logs.get(name, wanted.partition)
                if log is not None:
                    queue = log.stable.waiters if request.isolation_level == READ_COMMITTED else log.waiters
                    queue.add(self)
                    self.queues.append(queue)
        self.future.add_done_callback(self.leave)

    def more(self, size: int) -> None:
        self.missing -= size
        if self.missing <= 0 and not self.woken:
            self.woken = True  # appends of the same tick are answered together
            self.future.get_loop().call_soon(self.complete)

    def gone(self) -> None:
        self.more(self.missing)

    def complete(self) -> None:
        if not self.future.done():
            self.future.set_result(answer(self.broker, self.request)[2])

    def leave(self, _: asyncio.Future[list[Buffer]]) -> None:
        """Answered, or the client has gone."""
        self.timer.cancel()
        for queue in self.queues:
            queue.discard(self)


# -- answer ------------------------------------------------------------------------------------------------------------
def answer(broker: BrokerState, request: FetchRequest) -> tuple[int, bool, list[Buffer]]:
    """(bytes of records, whether an error must be told at once, the response body)."""
    version = request.version
    flexible = version >= FLEXIBLE_FROM
    array_length: Callable[[int], bytes] = compact_length if flexible else int32.pack
    head = bytearray(4)  # throttle time
    if version >= SESSIONS_FROM:
        head += bytes(6)  # no error, no session
    head += array_length(len(request.topics))
    parts: list[Buffer] = []
    room = min(request.max_bytes, broker.options.fetch_max_bytes)
    total = 0
    at_once = False
    committed = request.isolation_level == READ_COMMITTED
    for topic, partitions in request.topics:
        if isinstance(topic, UUID):
            head += topic.bytes
        else:
            data = topic.encode()
            head += compact_length(len(data)) if flexible else int16.pack(len(data))
            head += data
        head += array_length(len(partitions))
        name = topic_name(broker, topic)
        denied = topic in request.denied
        for wanted in partitions:
            if denied:
                log, code, records, aborted = None, ErrorCode.topic_authorization_failed, b"", ()
            else:
                log = broker.logs.logs.get((name, wanted.partition))
                code, records, aborted = read_partition(log, name, wanted, room - total, committed, first=not total)
            if code is not ErrorCode.none:
                at_once = True
            if log is None or code is ErrorCode.unknown_leader_epoch:
                watermark = stable = start = -1
            else:
                watermark, stable, start = log.high_watermark, log.stable.offset, log.start_offset
            if version >= LOG_START_FROM:
                head += answer_v5.pack(wanted.partition, code.value, watermark, stable, start)
            else:
                head += answer_v4.pack(wanted.partition, code.value, watermark, stable)
            if committed:
                head += array_length(len(aborted))
                for transaction in aborted:
                    head += aborted_transaction.pack(transaction.producer_id, transaction.first_offset)
                    if flexible:
                        head += b"\0"
            else:
                head += b"\0" if flexible else b"\xff\xff\xff\xff"
            if version >= PREFERRED_REPLICA_FROM:
                head += no_preferred_replica
            size = len(records)
            head += array_length(size)
            if size:
                total += size
                parts += (head, records)
                head = bytearray()
            if flexible:
                head += b"\0"
        if flexible:
            head += b"\0"
    if flexible:
        head += b"\0"
    parts.append(head)
    return total, at_once, parts


def read_partition(
    log: PartitionLog | None, name: str, wanted: Wanted, room: int, committed: bool, *, first: bool
) -> tuple[ErrorCode, bytes, Sequence[AbortedTransaction]]:
    """(error, records, what of them was aborted) of one partition; `room`: bytes that are left in the answer."""
    if log is None:
        return ErrorCode.unknown_topic_or_partition if name else ErrorCode.unknown_topic_id, b"", ()
    if wanted.leader_epoch > LEADER_EPOCH:
        return ErrorCode.unknown_leader_epoch, b"", ()
    if not log.start_offset <= wanted.offset <= log.end_offset:
        return ErrorCode.offset_out_of_range, b"", ()
    limit = min(wanted.max_bytes, room)
    if limit <= 0 and not first:
        return ErrorCode.none, b"", ()
    try:
        if committed:
            return ErrorCode.none, *log.reader.read_committed(wanted.offset, limit, at_least_one=first)
        return ErrorCode.none, log.reader.read(wanted.offset, limit, at_least_one=first), ()
    except OSError as error:
        LOG.error("%s: cannot read at offset %d: %s", log.name, wanted.offset, error)
        return ErrorCode.kafka_storage_error, b"", ()


def topic_name(broker: BrokerState, topic: TopicKey) -> str:
    """The name behind a topic key; "" for an id nobody has."""
    if not isinstance(topic, UUID):
        return topic
    known = broker.topics.by_id(topic)
    return known.name if known is not None else ""


def compact_length(count: int) -> bytes:
    return write_uvarint(count + 1)


# -- request -----------------------------------------------------------------------------------------------------------
def partition_struct(version: int) -> tuple[Struct, tuple[int, int, int, int]]:
    """The fixed fields of a partition in a version, and which of them are partition, epoch (-1: there is none), offset
    and max bytes."""
    if version >= FLEXIBLE_FROM:
        return Struct(">iiqiqi"), (0, 1, 2, 5)  # last fetched epoch, log start offset between
    if version >= 9:
        return Struct(">iiqqi"), (0, 1, 2, 4)
    if version >= LOG_START_FROM:
        return Struct(">iqqi"), (0, -1, 1, 3)
    return Struct(">iqi"), (0, -1, 1, 2)


PARTITION_STRUCTS = {version: partition_struct(version) for version in range(4, 19)}


def read(frame: memoryview, position: int, version: int) -> FetchRequest:
    """Parses the request; forgotten topics and rack are of no use without sessions and racks."""
    if version < 15:
        position += 4  # replica id
    max_wait, min_bytes, max_bytes, isolation_level = limits.unpack_from(frame, position)
    position += 13
    if version >= SESSIONS_FROM:
        position += 8
    flexible = version >= FLEXIBLE_FROM
    fields, (at_partition, at_epoch, at_offset, at_max_bytes) = PARTITION_STRUCTS[version]
    if flexible:
        count, position = read_uvarint(frame, position)
        count -= 1
    else:
        count = int32.unpack_from(frame, position)[0]
        position += 4
    topics: list[tuple[TopicKey, list[Wanted]]] = []
    for _ in range(count):
        if version >= TOPIC_IDS_FROM:
            topic: TopicKey = UUID(bytes=bytes(frame[position : position + 16]))
            position += 16
        else:
            if flexible:
                length, position = read_uvarint(frame, position)
                length -= 1
            else:
                length = int16.unpack_from(frame, position)[0]
                position += 2
            topic = str(frame[position : position + length], "utf-8")
            position += length
        if flexible:
            partition_count, position = read_uvarint(frame, position)
            partition_count -= 1
        else:
            partition_count = int32.unpack_from(frame, position)[0]
            position += 4
        partitions: list[Wanted] = []
        for _ in range(partition_count):
            values = fields.unpack_from(frame, position)
            position += fields.size
            epoch = values[at_epoch] if at_epoch >= 0 else -1
            partitions.append(Wanted(values[at_partition], epoch, values[at_offset], values[at_max_bytes]))
            if flexible:
                position = skip_tags(frame, position)
        topics.append((topic, partitions))
        if flexible:
            position = skip_tags(frame, position)
    return FetchRequest(version, max_wait, min_bytes, max_bytes, isolation_level, topics)
