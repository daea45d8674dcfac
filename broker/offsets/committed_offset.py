"""One committed offset, and its record value in `__consumer_offsets`.

```
v3  version int16 · offset int64 · leader epoch int32 · metadata string · commit timestamp int64
v1  version int16 · offset int64 · metadata string · commit timestamp int64 · expire timestamp int64
v2  like v1 without the expire timestamp; v0 like v2
```
Written as v3, or as v1 where the client asked for a retention of its own (OffsetCommit v2-v4), as Kafka does up to 4.0
(later ones write v4, which adds the topic's id).
Timestamps are ms since the epoch. Source: OffsetCommitValue.json.
"""

from __future__ import annotations

from dataclasses import dataclass

from broker.journal.errors import JournalRecordError
from broker.journal.fields import FieldReader, FieldWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class CommittedOffset:
    """`offset` is the next one to read; `leader_epoch` -1 where the client gave none."""

    offset: int
    leader_epoch: int = -1
    metadata: str = ""
    commit_timestamp_ms: int
    expire_timestamp_ms: int | None = None

    def encode(self) -> bytes:
        writer = FieldWriter()
        if self.expire_timestamp_ms is not None:
            writer.int16(1).int64(self.offset).string(self.metadata)
            return writer.int64(self.commit_timestamp_ms).int64(self.expire_timestamp_ms).bytes()
        writer.int16(3).int64(self.offset).int32(self.leader_epoch).string(self.metadata)
        return writer.int64(self.commit_timestamp_ms).bytes()


def decode_committed_offset(data: bytes) -> CommittedOffset:
    reader = FieldReader(data)
    version = reader.int16()
    if not 0 <= version <= 3:
        raise JournalRecordError(f"committed offset of version {version}; this broker reads 0 to 3")
    return CommittedOffset(
        offset=reader.int64(),
        leader_epoch=reader.int32() if version == 3 else -1,
        metadata=reader.string(),
        commit_timestamp_ms=reader.int64(),
        expire_timestamp_ms=reader.int64() if version == 1 else None,
    )
