"""Keys of `__consumer_offsets`: which group and partition, or which group, a record is about.

```
OffsetKey   version int16 = 1 (0 read alike) · group string · topic string · partition int32
GroupKey    version int16 = 2                · group string
```
and those of consumer groups, see `broker.consumer_groups.record_key`.
A record with a null value deletes what its key names. Source: OffsetCommitKey.json, GroupMetadataKey.json of Kafka.
"""

from __future__ import annotations

from dataclasses import dataclass

from broker.consumer_groups.record_key import KINDS, ConsumerGroupKey, decode_consumer_group_key
from broker.journal.fields import FieldReader, FieldWriter

OFFSET_VERSION = 1
GROUP_VERSION = 2


@dataclass(frozen=True, slots=True)
class OffsetKey:
    group_id: str
    topic: str
    partition: int

    def encode(self) -> bytes:
        return (
            FieldWriter().int16(OFFSET_VERSION).string(self.group_id).string(self.topic).int32(self.partition).bytes()
        )


@dataclass(frozen=True, slots=True)
class GroupKey:
    group_id: str

    def encode(self) -> bytes:
        return FieldWriter().int16(GROUP_VERSION).string(self.group_id).bytes()


def decode_key(data: bytes) -> OffsetKey | GroupKey | ConsumerGroupKey | None:
    """The key, or None for a kind of record that a later broker may have added: skip those."""
    reader = FieldReader(data)
    version = reader.int16()
    if version in (0, OFFSET_VERSION):
        return OffsetKey(reader.string(), reader.string(), reader.int32())
    if version == GROUP_VERSION:
        return GroupKey(reader.string())
    if version in KINDS:
        return decode_consumer_group_key(version, reader)
    return None
