"""Produce (key 0), versions 3-13 (advertised from 0, see `broker.protocol.advertised`).

v3 record batches, transactional id · v5 log start offset · v7 zstd (error 76 before) · v8 errors per record (KIP-467) ·
v9 flexible · v10 leader and endpoints in tagged fields on leader errors (never: there is one leader) ·
v11 TRANSACTION_ABORTABLE · v12 writing to a partition adds it to the transaction (KIP-890) ·
v13 topic ids instead of names.
acks=1 and acks=-1 are the same on one node. acks=0 has no answer; an error closes the connection.

Hand-coded: this is the hot path. Batches stay where the socket put them, up to the file.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping, Set
from struct import Struct
from struct import error as StructError
from typing import TypeAlias
from uuid import UUID

from kio.schema.errors import ErrorCode

from broker.handlers.produce_permissions import NONE_DENIED, Denied, denied_writes
from broker.handlers.transactional_write import IMPLICIT_FROM, TransactionalWrite
from broker.journal.entry import ProducerIdentity
from broker.log.errors import AppendRefused
from broker.log.partition import PartitionLog
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.protocol.batches import CODEC_MASK, HEADER_SIZE, Buffer
from broker.protocol.compression import Codec
from broker.protocol.errors import MalformedRequestError, UnanswerableError
from broker.protocol.varint import read_uvarint, skip_tags, write_uvarint
from broker.server.context import RequestContext
from broker.state import BrokerState
from broker.topics.names import problem_with_name

LOG = logging.getLogger("broker.produce")

FLEXIBLE_FROM = 9
TOPIC_IDS_FROM = 13
RECORD_ERRORS_FROM = 8
LOG_START_FROM = 5
ZSTD_FROM = 7
ATTRIBUTES_AT = 22
"""Where a batch says its codec."""

int16 = Struct(">h")
int32 = Struct(">i")
acks_and_timeout = Struct(">hi")
partition_head = Struct(">ii")
partition_answer = Struct(">ihqqq")

Partitions: TypeAlias = list[tuple[int, memoryview | None]]
TopicKey: TypeAlias = str | UUID

NO_ERROR = 0


class Outcome:
    """What a partition is answered."""

    __slots__ = ("append_time", "code", "log_start", "message", "offset", "partition", "record_errors")

    def __init__(self, partition: int, code: int, message: str | None) -> None:
        self.partition = partition
        self.code = code
        self.message = message
        self.offset = -1
        self.append_time = -1
        self.log_start = -1
        self.record_errors: tuple[tuple[int, str], ...] = ()


Outcomes: TypeAlias = list[tuple[TopicKey, list[Outcome]]]


@api(ApiKey.PRODUCE, 3, 13, raw=True, flexible_from=FLEXIBLE_FROM)
def handle(
    ctx: RequestContext, frame: memoryview, position: int
) -> list[Buffer] | asyncio.Future[list[Buffer]] | Coroutine[None, None, list[Buffer] | None] | None:
    version, broker = ctx.version, ctx.broker
    try:
        read = read_flexible if version >= FLEXIBLE_FROM else read_legacy
        transactional_id, acks, topics = read(frame, position, version)
    except (StructError, ValueError) as error:
        raise MalformedRequestError(str(error)) from error
    denied = NONE_DENIED if broker.authorizer is None else denied_writes(ctx, transactional_id, topics)
    write = None if transactional_id is None else TransactionalWrite(broker.transactions, transactional_id, version)
    if write is not None and version >= IMPLICIT_FROM and acks != 0:
        wanted = {
            at: batch
            for topic, partitions in topics
            if topic not in denied
            for partition, batch in partitions
            if (at := (named(broker, topic), partition)) in broker.logs.logs
        }
        if missing := write.missing(wanted):
            # The frame's place is needed for the next one while this one waits for the coordinator's log.
            return enlist_first(ctx, write, missing, memoryview(bytearray(frame)), position, denied)
    return append_all(broker, version, acks, topics, write, denied)


async def enlist_first(
    ctx: RequestContext,
    write: TransactionalWrite,
    missing: Mapping[ProducerIdentity, Set[tuple[str, int]]],
    frame: memoryview,
    position: int,
    denied: Denied,
) -> list[Buffer] | None:
    """Adds the partitions to the transaction, then appends; what could not be added is refused by the append."""
    await write.enlist(missing)
    _, acks, topics = read_flexible(frame, position, ctx.version)
    answer = append_all(ctx.broker, ctx.version, acks, topics, write, denied)
    return await answer if isinstance(answer, asyncio.Future) else answer


def append_all(
    broker: BrokerState,
    version: int,
    acks: int,
    topics: list[tuple[TopicKey, Partitions]],
    write: TransactionalWrite | None,
    denied: Denied,
) -> list[Buffer] | asyncio.Future[list[Buffer]] | None:
    """Appends every batch; the answer, at once or when all is durable."""
    written: list[PartitionLog] = []
    failed = False
    outcomes: Outcomes = []
    for topic, partitions in topics:
        answers: list[Outcome] = []
        refusal = denied.get(topic)
        for partition, batch in partitions:
            if refusal is not None:
                answers.append(Outcome(partition, refusal.value, None))
                failed = True
                continue
            if version < ZSTD_FROM and batch is not None and is_zstd(batch):
                failed = True
                problem = f"Produce requests with version {version} are not allowed to use ZStandard compression"
                answers.append(Outcome(partition, ErrorCode.unsupported_compression_type.value, problem))
                continue
            outcome = append(broker, topic, partition, batch, acks, written, write)
            failed = failed or outcome.code != NO_ERROR
            answers.append(outcome)
        outcomes.append((topic, answers))
    if acks == 0:
        if failed:
            raise UnanswerableError(f"produced with acks=0, and that failed: {first_failure(outcomes)}")
        return None
    if broker.durable and written:
        return answer_when_durable(broker, written, outcomes, version)
    return [encode(outcomes, version)]


def append(
    broker: BrokerState,
    topic: TopicKey,
    partition: int,
    batch: memoryview | None,
    acks: int,
    written: list[PartitionLog],
    write: TransactionalWrite | None,
) -> Outcome:
    """Appends a partition's batch; its log joins `written` if it has to be waited for."""
    if not -1 <= acks <= 1:
        return Outcome(partition, ErrorCode.invalid_required_acks.value, "acks must be -1, 0 or 1")
    name = named(broker, topic)
    if not name and isinstance(topic, UUID):
        return Outcome(partition, ErrorCode.unknown_topic_id.value, None)
    log = broker.logs.logs.get((name, partition))
    if log is None:
        code = ErrorCode.invalid_topic_exception if problem_with_name(name) else ErrorCode.unknown_topic_or_partition
        return Outcome(partition, code.value, None)
    if log.internal:
        message = f"{name} is the broker's own topic; clients must not write to it"
        return Outcome(partition, ErrorCode.invalid_topic_exception.value, message)
    if batch is None:
        return Outcome(partition, ErrorCode.invalid_record.value, "there is no batch for the partition")
    try:
        transactional = write is not None and write.check(batch, (name, partition))
        offset, append_time = log.append(batch, transactional=transactional)
    except AppendRefused as refusal:
        outcome = Outcome(partition, refusal.code.value, refusal.message)
        outcome.record_errors = refusal.record_errors
        return outcome
    except OSError as error:
        LOG.error("%s: cannot append: %s; the produce was refused and the log is as it was", log.name, error)
        return storage_error(partition, error)
    written.append(log)
    outcome = Outcome(partition, NO_ERROR, None)
    outcome.offset = offset
    outcome.append_time = append_time
    outcome.log_start = log.start_offset
    return outcome


def is_zstd(batch: memoryview) -> bool:
    return len(batch) >= HEADER_SIZE and batch[ATTRIBUTES_AT] & CODEC_MASK == Codec.ZSTD


def named(broker: BrokerState, topic: TopicKey) -> str:
    """The name behind a topic key; "" for an id nobody has."""
    if isinstance(topic, UUID):
        known = broker.topics.by_id(topic)
        return "" if known is None else known.name
    return topic


def first_failure(outcomes: Outcomes) -> str:
    for topic, answers in outcomes:
        for one in answers:
            if one.code != NO_ERROR:
                return f"{topic}-{one.partition}: {ErrorCode(one.code).name}: {one.message}"
    return ""


def storage_error(partition: int, error: OSError) -> Outcome:
    return Outcome(partition, ErrorCode.kafka_storage_error.value, f"The broker's storage failed: {error.strerror}")


def answer_when_durable(
    broker: BrokerState, written: list[PartitionLog], outcomes: Outcomes, version: int
) -> asyncio.Future[list[Buffer]]:
    """Answers after the group commit of every log that was written to."""
    answer: asyncio.Future[list[Buffer]] = asyncio.get_running_loop().create_future()
    commits = {log: broker.group_commit.wait(log) for log in written}
    missing = len(commits)

    def committed(_: asyncio.Future[None]) -> None:
        nonlocal missing
        missing -= 1
        if missing == 0 and not answer.done():
            take_failures(commits, outcomes, written)
            answer.set_result([encode(outcomes, version)])

    for commit in commits.values():
        commit.add_done_callback(committed)
    return answer


def take_failures(
    commits: dict[PartitionLog, asyncio.Future[None]], outcomes: Outcomes, written: list[PartitionLog]
) -> None:
    """Turns the outcomes of logs that could not be synced into errors: nobody knows what reached the disk."""
    logs = iter(written)
    for _, answers in outcomes:
        for number, outcome in enumerate(answers):
            if outcome.code == NO_ERROR:
                error = commits[next(logs)].exception()
                if isinstance(error, OSError):
                    answers[number] = storage_error(outcome.partition, error)


# -- request -----------------------------------------------------------------------------------------------------------
def read_legacy(
    frame: memoryview, position: int, version: int
) -> tuple[str | None, int, list[tuple[TopicKey, Partitions]]]:
    """Versions 3 to 8: (transactional id, acks, batches by topic and partition)."""
    length = int16.unpack_from(frame, position)[0]
    position += 2
    transactional_id = None
    if length >= 0:
        transactional_id = str(frame[position : position + length], "utf-8")
        position += length
    acks, _ = acks_and_timeout.unpack_from(frame, position)
    count = int32.unpack_from(frame, position + 6)[0]
    position += 10
    topics: list[tuple[TopicKey, Partitions]] = []
    for _ in range(count):
        length = int16.unpack_from(frame, position)[0]
        if length < 0:
            raise ValueError("a topic without a name")  # and reading would go backwards
        position += 2
        name = str(frame[position : position + length], "utf-8")
        position += length
        partition_count = int32.unpack_from(frame, position)[0]
        position += 4
        partitions: Partitions = []
        for _ in range(partition_count):
            partition, size = partition_head.unpack_from(frame, position)
            position += 8
            if size < 0:
                partitions.append((partition, None))
                continue
            partitions.append((partition, take(frame, position, size)))
            position += size
        topics.append((name, partitions))
    return transactional_id, acks, topics


def read_flexible(
    frame: memoryview, position: int, version: int
) -> tuple[str | None, int, list[tuple[TopicKey, Partitions]]]:
    """Versions from 9 on: (transactional id, acks, batches by topic and partition)."""
    length, position = read_uvarint(frame, position)
    transactional_id = None
    if length > 0:
        transactional_id = str(frame[position : position + length - 1], "utf-8")
        position += length - 1
    acks, _ = acks_and_timeout.unpack_from(frame, position)
    count, position = read_uvarint(frame, position + 6)
    topics: list[tuple[TopicKey, Partitions]] = []
    for _ in range(count - 1):
        if version >= TOPIC_IDS_FROM:
            topic: TopicKey = UUID(bytes=bytes(frame[position : position + 16]))
            position += 16
        else:
            length, position = read_uvarint(frame, position)
            if not length:
                raise ValueError("a topic without a name")
            topic = str(frame[position : position + length - 1], "utf-8")
            position += length - 1
        partition_count, position = read_uvarint(frame, position)
        partitions: Partitions = []
        for _ in range(partition_count - 1):
            partition = int32.unpack_from(frame, position)[0]
            size, position = read_uvarint(frame, position + 4)
            if size == 0:
                partitions.append((partition, None))
            else:
                partitions.append((partition, take(frame, position, size - 1)))
                position += size - 1
            position = skip_tags(frame, position)
        topics.append((topic, partitions))
        position = skip_tags(frame, position)
    return transactional_id, acks, topics


def take(frame: memoryview, position: int, size: int) -> memoryview:
    """A part of the frame. Raises ValueError if the frame ends before it."""
    part = frame[position : position + size]
    if len(part) != size:
        raise ValueError(f"{size} bytes of records where {len(part)} are left")
    return part


# -- answer ------------------------------------------------------------------------------------------------------------
def encode(outcomes: Outcomes, version: int) -> bytes:
    """The response body."""
    flexible = version >= FLEXIBLE_FROM
    out = bytearray()
    out += array_length(len(outcomes), flexible)
    for topic, answers in outcomes:
        out += topic.bytes if isinstance(topic, UUID) else string(topic, flexible)
        out += array_length(len(answers), flexible)
        for one in answers:
            line = partition_answer.pack(one.partition, one.code, one.offset, one.append_time, one.log_start)
            out += line if version >= LOG_START_FROM else line[:22]
            if version >= RECORD_ERRORS_FROM:
                out += array_length(len(one.record_errors), flexible)
                for index, message in one.record_errors:
                    out += int32.pack(index)
                    out += string(message, flexible)
                    if flexible:
                        out += b"\0"
                out += string(one.message, flexible)
            if flexible:
                out += b"\0"
        if flexible:
            out += b"\0"
    out += b"\0\0\0\0"  # throttle time
    if flexible:
        out += b"\0"
    return bytes(out)


def array_length(count: int, flexible: bool) -> bytes:
    return write_uvarint(count + 1) if flexible else int32.pack(count)


def string(text: str | None, flexible: bool) -> bytes:
    """A nullable string."""
    if text is None:
        return b"\0" if flexible else b"\xff\xff"
    data = text.encode()
    return (write_uvarint(len(data) + 1) if flexible else int16.pack(len(data))) + data
