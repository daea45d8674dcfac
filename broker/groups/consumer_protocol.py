"""The consumer protocol inside of classic groups: what members tell their leader, and what it tells them.

```
subscription  version int16 · topics [string] · user data bytes · v1 owned [topic string · partitions [int32]] ·
              v2 generation int32 · v3 rack string?
assignment    version int16 · assigned [topic string · partitions [int32]] · user data bytes
```
Array lengths are int32. A broker looks into them to know whose offsets are in use, and to serve classic members in
consumer groups (KIP-848). Source: ConsumerProtocolSubscription.json, ConsumerProtocolAssignment.json of Kafka.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from broker.journal.errors import JournalRecordError
from broker.journal.fields import FieldReader, FieldWriter

CONSUMER_PROTOCOL_TYPE = "consumer"
OWNED_FROM, RACK_FROM = 1, 3
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Subscription:
    """`owned`: (topic, partition) that the member owns, none where it does not say."""

    version: int
    topics: frozenset[str]
    owned: frozenset[tuple[str, int]] = frozenset()
    rack_id: str | None = None


def parse_subscription(metadata: bytes) -> Subscription | None:
    """None if these bytes are no subscription. Only the topics have to be there: what follows them and does not parse
    says nothing."""
    reader = FieldReader(metadata)
    try:
        version = reader.int16()
        topics = frozenset(read_array(reader, reader.string))
    except (JournalRecordError, UnicodeDecodeError):
        return None
    try:
        reader.blob()
        owned = read_partitions(reader) if version >= OWNED_FROM else frozenset[tuple[str, int]]()
        if version < RACK_FROM:
            return Subscription(version, topics, owned)
        reader.int32()
        return Subscription(version, topics, owned, reader.nullable_string())
    except (JournalRecordError, UnicodeDecodeError):
        return Subscription(version, topics)


def parse_assignment(assignment: bytes) -> frozenset[tuple[str, int]] | None:
    """(topic, partition) assigned; none for no bytes; None if these bytes are no assignment."""
    if not assignment:
        return frozenset()
    reader = FieldReader(assignment)
    try:
        reader.int16()
        return read_partitions(reader)
    except (JournalRecordError, UnicodeDecodeError):
        return None


def encode_assignment(version: int, assigned: Mapping[str, Sequence[int]]) -> bytes:
    """`assigned`: topic → partitions; in a version that the member knows, as all of them are alike."""
    writer = FieldWriter().int16(version).int32(len(assigned))
    for topic, partitions in sorted(assigned.items()):
        writer.string(topic).int32(len(partitions))
        for index in partitions:
            writer.int32(index)
    return writer.int32(-1).bytes()


def read_array(reader: FieldReader, item: Callable[[], T]) -> Iterable[T]:
    return [item() for _ in range(max(reader.int32(), 0))]


def read_partitions(reader: FieldReader) -> frozenset[tuple[str, int]]:
    found: set[tuple[str, int]] = set()
    for _ in range(max(reader.int32(), 0)):
        topic = reader.string()
        found.update((topic, index) for index in read_array(reader, reader.int32))
    return frozenset(found)
