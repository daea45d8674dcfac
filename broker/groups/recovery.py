"""Reads `__consumer_offsets` back: what the groups and their offsets were."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from broker.consumer_groups.record_key import ConsumerGroupKey
from broker.journal.entry import Entry, Marker
from broker.offsets.committed_offset import decode_committed_offset
from broker.offsets.group_metadata import GroupMetadata, decode_group_metadata
from broker.offsets.record_key import GroupKey, OffsetKey, decode_key
from broker.offsets.store import OffsetStore

if TYPE_CHECKING:
    from broker.consumer_groups.persisted import GroupImage


@dataclass(frozen=True, slots=True)
class RecoveredGroups:
    """The groups' last records by group id. An id is in one of the two, but for one whose kind has changed and whose
    end as the other kind is not compacted yet: then it has no epoch there."""

    classic: dict[str, GroupMetadata] = field(default_factory=dict[str, "GroupMetadata"])
    consumer: dict[str, GroupImage] = field(default_factory=dict[str, "GroupImage"])


def recover(
    entries: Iterable[Entry | Marker], offsets: OffsetStore, partition_of: Callable[[str], int]
) -> RecoveredGroups:
    """Applies the journal in order to an empty `offsets`; returns the groups.

    What an open transaction committed is held back until its marker comes. `partition_of`: a group's in the journal.
    """
    groups = RecoveredGroups()
    for entry in entries:
        if isinstance(entry, Marker):
            finish(entry, offsets, partition_of)
            continue
        value = entry.value
        match decode_key(entry.key):
            case OffsetKey(group_id, topic, partition):
                if value is None:
                    offsets.remove(group_id, (topic, partition))
                elif entry.producer_id >= 0:
                    held = [((topic, partition), decode_committed_offset(value))]
                    offsets.hold_back(entry.producer_id, group_id, held)
                else:
                    offsets.put(group_id, (topic, partition), decode_committed_offset(value))
            case GroupKey(group_id):
                if value is None:
                    groups.classic.pop(group_id, None)
                else:
                    groups.classic[group_id] = decode_group_metadata(value)
            case ConsumerGroupKey() as key:
                image_of(groups, key.group_id).apply(key, value)
            case None:
                pass
    return groups


def image_of(groups: RecoveredGroups, group_id: str) -> GroupImage:
    image = groups.consumer.get(group_id)
    if image is None:
        from broker.consumer_groups.persisted import GroupImage  # a broker without such groups starts without it

        image = groups.consumer[group_id] = GroupImage()
    return image


def finish(marker: Marker, offsets: OffsetStore, partition_of: Callable[[str], int]) -> list[str]:
    """Applies the end of a transaction in one partition of the journal; returns the groups that it committed for."""
    return offsets.finish(
        marker.producer_id, commit=marker.committed, concerns=lambda group: partition_of(group) == marker.partition
    )
