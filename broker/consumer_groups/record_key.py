"""Keys of a consumer group's records in `__consumer_offsets`.

```
EPOCH         version int16 = 3 · group string
TARGET_EPOCH  version int16 = 6 · group string
PROFILE       version int16 = 5 · group string · member string
TARGET        version int16 = 7 · group string · member string
PROGRESS      version int16 = 8 · group string · member string
```
Source: ConsumerGroupMetadataKey.json, …TargetAssignmentMetadataKey, …MemberMetadataKey, …TargetAssignmentMemberKey,
…CurrentMemberAssignmentKey of Kafka. Versions 4 (the topics' metadata, up to 4.0) and 16 (what regular expressions
match) are neither written nor read: the former is a hash in EPOCH now, the latter is found out again.
"""

from __future__ import annotations

from typing import NamedTuple

from broker.journal.fields import FieldReader, FieldWriter

EPOCH, PROFILE, TARGET_EPOCH, TARGET, PROGRESS = 3, 5, 6, 7, 8
OF_GROUP = frozenset((EPOCH, TARGET_EPOCH))
KINDS = frozenset((EPOCH, PROFILE, TARGET_EPOCH, TARGET, PROGRESS))


class ConsumerGroupKey(NamedTuple):
    """`member_id` is empty for the kinds that are of the group."""

    group_id: str
    kind: int
    member_id: str = ""

    def encode(self) -> bytes:
        writer = FieldWriter().int16(self.kind).string(self.group_id)
        return (writer if self.kind in OF_GROUP else writer.string(self.member_id)).bytes()


def decode_consumer_group_key(kind: int, reader: FieldReader) -> ConsumerGroupKey:
    """What follows a version that is one of KINDS."""
    group_id = reader.string()
    return ConsumerGroupKey(group_id, kind, "" if kind in OF_GROUP else reader.string())
