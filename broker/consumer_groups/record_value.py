"""Values of a consumer group's records in `__consumer_offsets`, all of version 0, with flexible encoding.

```
EPOCH         epoch int32 · tags { 0: metadata hash int64 }
TARGET_EPOCH  epoch int32
PROFILE       instance id string? · rack id string? · client id string · client host string · topics [string] ·
              regex string? · rebalance timeout int32 · assignor string? ·
              tags { 0: int8 1 · session timeout int32 · protocols [name string · metadata bytes]    (classic members)
                     1000: principal string }   (where there is an authorizer; Kafka does not know it, and skips it)
TARGET        [topic id uuid · partitions [int32]]
PROGRESS      epoch int32 · previous epoch int32 · state int8 ·
              assigned [topic id uuid · partitions [int32]] · revoking, likewise
```
Every structure ends with tags. Source: ConsumerGroupMetadataValue.json and its like of Kafka 4.2.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from broker.consumer_groups.member import ClassicSide, MemberState, Profile, Progress
from broker.consumer_groups.partitions import Partitions, TopicIdPartition, by_topic
from broker.groups.member import Protocol
from broker.journal.compact_fields import CompactReader, CompactWriter
from broker.journal.errors import JournalRecordError

HASH_TAG = 0
CLASSIC_TAG = 0
PRINCIPAL_TAG = 1000


# -- epochs ----------------------------------------------------------------------------------------------------------
def encode_epoch(epoch: int, metadata_hash: int) -> bytes:
    writer = new_record()
    writer.int32(epoch)
    hashed = CompactWriter().int64(metadata_hash).bytes()
    return writer.tags({HASH_TAG: hashed} if metadata_hash else None).bytes()


def decode_epoch(data: bytes) -> tuple[int, int]:
    """Epoch and hash of the topics' metadata."""
    reader = open_record(data)
    epoch, tags = reader.int32(), reader.tags()
    return epoch, CompactReader(tags[HASH_TAG]).int64() if HASH_TAG in tags else 0


def encode_target_epoch(epoch: int) -> bytes:
    writer = new_record()
    writer.int32(epoch)
    return writer.tags().bytes()


def decode_target_epoch(data: bytes) -> int:
    return open_record(data).int32()


# -- members ---------------------------------------------------------------------------------------------------------
def encode_profile(profile: Profile) -> bytes:
    writer = new_record().compact_string(profile.instance_id).compact_string(profile.rack_id)
    writer.compact_string(profile.client_id).compact_string(profile.client_host)
    writer.compact_array(sorted(profile.topics), writer.compact_string).compact_string(profile.regex)
    writer.int32(profile.rebalance_timeout_ms)
    writer.compact_string(profile.assignor)
    tags: dict[int, bytes] = {}
    if profile.classic is not None:
        tags[CLASSIC_TAG] = encode_classic(profile.classic)
    if profile.principal:
        tags[PRINCIPAL_TAG] = CompactWriter().compact_string(profile.principal).bytes()
    return writer.tags(tags).bytes()


def decode_profile(data: bytes) -> Profile:
    reader = open_record(data)
    profile = Profile(  # arguments are read in their order
        instance_id=reader.compact_nullable_string(),
        rack_id=reader.compact_nullable_string(),
        client_id=reader.compact_string(),
        client_host=reader.compact_string(),
        topics=frozenset(reader.compact_array(reader.compact_string)),
        regex=reader.compact_nullable_string(),
        rebalance_timeout_ms=reader.int32(),
        assignor=reader.compact_nullable_string(),
    )
    tags = reader.tags()
    principal = CompactReader(tags[PRINCIPAL_TAG]).compact_string() if PRINCIPAL_TAG in tags else ""
    return replace(profile, principal=principal, classic=decode_classic(tags.get(CLASSIC_TAG)))


def encode_classic(classic: ClassicSide) -> bytes:
    writer = CompactWriter().int8(1)  # the structure is there
    writer.int32(classic.session_timeout_ms)
    writer.compact_array(
        classic.protocols,
        lambda protocol: writer.compact_string(protocol.name).compact_blob(protocol.metadata).tags(),
    )
    return writer.tags().bytes()


def decode_classic(data: bytes | None) -> ClassicSide | None:
    """None: the member speaks the consumer protocol."""
    reader = CompactReader(data or b"")
    if data is None or reader.int8() < 0:
        return None

    def protocol() -> Protocol:
        found = Protocol(reader.compact_string(), reader.compact_blob())
        reader.tags()
        return found

    return ClassicSide(session_timeout_ms=reader.int32(), protocols=tuple(reader.compact_array(protocol)))


def encode_target(target: Partitions) -> bytes:
    writer = new_record()
    write_partitions(writer, target)
    return writer.tags().bytes()


def decode_target(data: bytes) -> Partitions:
    return read_partitions(open_record(data))


def encode_progress(progress: Progress) -> bytes:
    writer = new_record()
    writer.int32(progress.epoch).int32(progress.previous_epoch)
    writer.int8(progress.state.value)
    write_partitions(writer, progress.assigned)
    write_partitions(writer, progress.revoking)
    return writer.tags().bytes()


def decode_progress(data: bytes) -> Progress:
    reader = open_record(data)
    epoch, previous_epoch, state = reader.int32(), reader.int32(), reader.int8()
    try:
        known = MemberState(state)
    except ValueError as error:
        raise JournalRecordError(f"a consumer group's member is in state {state}, which is not known here") from error
    return Progress(
        epoch=epoch,
        previous_epoch=previous_epoch,
        state=known,
        assigned=read_partitions(reader),
        revoking=read_partitions(reader),
    )


# -- parts -----------------------------------------------------------------------------------------------------------
def new_record() -> CompactWriter:
    writer = CompactWriter()
    writer.int16(0)
    return writer


def open_record(data: bytes) -> CompactReader:
    """Behind the version."""
    reader = CompactReader(data)
    version = reader.int16()
    if version != 0:
        raise JournalRecordError(f"a consumer group's record of version {version}; this broker reads 0")
    return reader


def write_partitions(writer: CompactWriter, partitions: Partitions) -> None:
    def topic(line: tuple[UUID, list[int]]) -> None:
        writer.uuid(line[0]).compact_array(line[1], writer.int32).tags()

    writer.compact_array(by_topic(partitions).items(), topic)


def read_partitions(reader: CompactReader) -> Partitions:
    found: set[TopicIdPartition] = set()

    def topic() -> None:
        topic_id = reader.uuid()
        found.update((topic_id, index) for index in reader.compact_array(reader.int32))
        reader.tags()

    reader.compact_array(topic)
    return frozenset(found)
