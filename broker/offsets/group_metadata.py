"""A group's record value in `__consumer_offsets`: enough to go on with its generation after a restart.

```
v3  version int16 · protocol type string · generation int32 · protocol string? · leader string? ·
    state since int64 · members int32 ×
        member id string · instance id string? · client id string · client host string ·
        rebalance timeout int32 · session timeout int32 · subscription bytes · assignment bytes
v2  without instance ids; v1 also without "state since"; v0 also without rebalance timeouts
```
A member's subscription is its metadata for the protocol in force; what else it could speak is forgotten.
Source: GroupMetadataValue.json of Kafka.
"""

from __future__ import annotations

from dataclasses import dataclass

from broker.journal.errors import JournalRecordError
from broker.journal.fields import FieldReader, FieldWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberMetadata:
    member_id: str
    instance_id: str | None
    client_id: str
    client_host: str
    rebalance_timeout_ms: int
    session_timeout_ms: int
    subscription: bytes
    assignment: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMetadata:
    """No members: the group is Empty. `state_since_ms` is -1 where an old record does not say."""

    protocol_type: str
    generation: int
    protocol_name: str | None
    leader: str | None
    state_since_ms: int
    members: tuple[MemberMetadata, ...]

    def encode(self) -> bytes:
        writer = FieldWriter().int16(3).string(self.protocol_type).int32(self.generation)
        writer.string(self.protocol_name).string(self.leader).int64(self.state_since_ms).int32(len(self.members))
        for member in self.members:
            writer.string(member.member_id).string(member.instance_id)
            writer.string(member.client_id).string(member.client_host)
            writer.int32(member.rebalance_timeout_ms).int32(member.session_timeout_ms)
            writer.blob(member.subscription).blob(member.assignment)
        return writer.bytes()


def decode_group_metadata(data: bytes) -> GroupMetadata:
    reader = FieldReader(data)
    version = reader.int16()
    if not 0 <= version <= 3:
        raise JournalRecordError(f"group metadata of version {version}; this broker reads 0 to 3")
    return GroupMetadata(
        protocol_type=reader.string(),
        generation=reader.int32(),
        protocol_name=reader.nullable_string(),
        leader=reader.nullable_string(),
        state_since_ms=reader.int64() if version >= 2 else -1,
        members=tuple(decode_member(reader, version) for _ in range(reader.int32())),
    )


def decode_member(reader: FieldReader, version: int) -> MemberMetadata:
    member_id = reader.string()
    instance_id = reader.nullable_string() if version >= 3 else None
    client_id, client_host = reader.string(), reader.string()
    rebalance_timeout_ms = reader.int32() if version >= 1 else -1
    session_timeout_ms = reader.int32()
    return MemberMetadata(
        member_id=member_id,
        instance_id=instance_id,
        client_id=client_id,
        client_host=client_host,
        rebalance_timeout_ms=session_timeout_ms if rebalance_timeout_ms < 0 else rebalance_timeout_ms,
        session_timeout_ms=session_timeout_ms,
        subscription=reader.blob(),
        assignment=reader.blob(),
    )
