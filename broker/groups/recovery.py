"""Reads `__consumer_offsets` back: what the groups and their offsets were."""

from __future__ import annotations

from collections.abc import Iterable

from broker.offsets.committed_offset import decode_committed_offset
from broker.offsets.group_metadata import GroupMetadata, decode_group_metadata
from broker.offsets.journal import KeyValue
from broker.offsets.record_key import GroupKey, OffsetKey, decode_key
from broker.offsets.store import OffsetStore


def recover(records: Iterable[KeyValue], offsets: OffsetStore) -> dict[str, GroupMetadata]:
    """Applies the records in order to an empty `offsets`; returns the groups' last records by group id."""
    groups: dict[str, GroupMetadata] = {}
    for key, value in records:
        match decode_key(key):
            case OffsetKey(group_id, topic, partition):
                if value is None:
                    offsets.remove(group_id, (topic, partition))
                else:
                    offsets.put(group_id, (topic, partition), decode_committed_offset(value))
            case GroupKey(group_id):
                if value is None:
                    groups.pop(group_id, None)
                else:
                    groups[group_id] = decode_group_metadata(value)
            case None:
                pass
    return groups
