"""A fetch request as it is read from the wire, versions 4-18. Hand-coded: this is the hot path."""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple, TypeAlias
from uuid import UUID

from broker.protocol.varint import read_uvarint, skip_tags

LOG_START_FROM = 5
SESSIONS_FROM = 7
EPOCHS_FROM = 9
PREFERRED_REPLICA_FROM = 11
FLEXIBLE_FROM = 12
TOPIC_IDS_FROM = 13
REPLICA_STATE_FROM = 15

NO_SESSION = 0
OPENING_EPOCH = 0
"""A full fetch that asks for a session."""
FINAL_EPOCH = -1
"""A full fetch without a session; one that it names is closed."""
READ_COMMITTED = 1

int16 = Struct(">h")
int32 = Struct(">i")
limits = Struct(">iiib")  # max wait, min bytes, max bytes, isolation level
session_struct = Struct(">ii")

TopicKey: TypeAlias = str | UUID


class Wanted(NamedTuple):
    """One partition of a fetch."""

    partition: int
    leader_epoch: int
    offset: int
    max_bytes: int
    last_epoch: int = -1
    """Of the record before the offset, as the client has it; -1: it does not say."""


class FetchRequest(NamedTuple):
    """What a client wants; times in ms, sizes in bytes."""

    version: int
    max_wait: int
    min_bytes: int
    max_bytes: int
    isolation_level: int
    topics: list[tuple[TopicKey, list[Wanted]]]
    session_id: int = NO_SESSION
    session_epoch: int = FINAL_EPOCH
    forgotten: tuple[tuple[TopicKey, int], ...] = ()
    """What an incremental fetch takes out of its session."""


def partition_struct(version: int) -> tuple[Struct, tuple[int, int, int, int]]:
    """The fixed fields of a partition in a version, and which of them are partition, epoch (-1: there is none), offset
    and max bytes. From v12 on the last fetched epoch follows the offset."""
    if version >= FLEXIBLE_FROM:
        return Struct(">iiqiqi"), (0, 1, 2, 5)
    if version >= EPOCHS_FROM:
        return Struct(">iiqqi"), (0, 1, 2, 4)
    if version >= LOG_START_FROM:
        return Struct(">iqqi"), (0, -1, 1, 3)
    return Struct(">iqi"), (0, -1, 1, 2)


PARTITION_STRUCTS = {version: partition_struct(version) for version in range(4, 19)}


def read_request(frame: memoryview, position: int, version: int) -> FetchRequest:
    """Parses the request; the rack is of no use on one node. Raises struct.error, IndexError, ValueError."""
    if version < REPLICA_STATE_FROM:
        position += 4  # replica id
    max_wait, min_bytes, max_bytes, isolation_level = limits.unpack_from(frame, position)
    position += 13
    session_id, session_epoch = NO_SESSION, FINAL_EPOCH
    if version >= SESSIONS_FROM:
        session_id, session_epoch = session_struct.unpack_from(frame, position)
        position += 8
    flexible = version >= FLEXIBLE_FROM
    fields, (at_partition, at_epoch, at_offset, at_max_bytes) = PARTITION_STRUCTS[version]
    unpack, size = fields.unpack_from, fields.size
    count, position = read_count(frame, position, flexible=flexible)
    topics: list[tuple[TopicKey, list[Wanted]]] = []
    for _ in range(count):
        topic, position = read_topic(frame, position, version)
        partition_count, position = read_count(frame, position, flexible=flexible)
        partitions: list[Wanted] = []
        for _ in range(partition_count):
            values = unpack(frame, position)
            position += size
            epoch = values[at_epoch] if at_epoch >= 0 else -1
            last_epoch = values[3] if flexible else -1
            partitions.append(Wanted(values[at_partition], epoch, values[at_offset], values[at_max_bytes], last_epoch))
            if flexible:
                position = position + 1 if not frame[position] else skip_tags(frame, position)
        topics.append((topic, partitions))
        if flexible:
            position = skip_tags(frame, position)
    forgotten: tuple[tuple[TopicKey, int], ...] = ()
    if session_epoch > 0:
        forgotten = read_forgotten(frame, position, version)
    return FetchRequest(
        version, max_wait, min_bytes, max_bytes, isolation_level, topics, session_id, session_epoch, forgotten
    )


def read_forgotten(frame: memoryview, position: int, version: int) -> tuple[tuple[TopicKey, int], ...]:
    """The partitions that leave the session."""
    flexible = version >= FLEXIBLE_FROM
    count, position = read_count(frame, position, flexible=flexible)
    forgotten: list[tuple[TopicKey, int]] = []
    for _ in range(count):
        topic, position = read_topic(frame, position, version)
        partition_count, position = read_count(frame, position, flexible=flexible)
        for _ in range(partition_count):
            forgotten.append((topic, int32.unpack_from(frame, position)[0]))
            position += 4
        if flexible:
            position = skip_tags(frame, position)
    return tuple(forgotten)


def read_count(frame: memoryview, position: int, *, flexible: bool) -> tuple[int, int]:
    """The length of an array; null counts as empty (-1)."""
    if flexible:
        count, position = read_uvarint(frame, position)
        return count - 1, position
    return int32.unpack_from(frame, position)[0], position + 4


def read_topic(frame: memoryview, position: int, version: int) -> tuple[TopicKey, int]:
    """A topic's id or name."""
    if version >= TOPIC_IDS_FROM:
        return UUID(bytes=bytes(frame[position : position + 16])), position + 16
    if version >= FLEXIBLE_FROM:
        length, position = read_uvarint(frame, position)
        length -= 1
    else:
        length = int16.unpack_from(frame, position)[0]
        position += 2
    if length < 0:
        raise ValueError("a topic without a name")  # and reading would go backwards
    return str(frame[position : position + length], "utf-8"), position + length
