"""The committed offsets of all groups, in memory; `journal` keeps them on disk.

Transactional commits are held back per producer id until their transaction ends; OffsetFetch can ask whether any are
(`require_stable`). Pure: no I/O, times come in.

Source: `OffsetMetadataManager` of Apache Kafka; KIP-211 (expiry), KIP-447 (unstable offsets).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple, TypeAlias

from broker.offsets.committed_offset import CommittedOffset

TopicPartition: TypeAlias = tuple[str, int]


class HeldBack(NamedTuple):
    """An offset of an open transaction. Of two of one partition the one with the greater `order` came later."""

    order: int
    committed: CommittedOffset


class OffsetStore:
    """Group id → (topic, partition) → committed offset."""

    def __init__(self) -> None:
        self.groups: dict[str, dict[TopicPartition, CommittedOffset]] = {}
        self.held_back: dict[int, dict[str, dict[TopicPartition, HeldBack | None]]] = {}
        """Producer id → group id → what its open transaction will commit; None where something later counts instead."""
        self.order = 0
        """How many times a transaction's offsets came so far."""

    # -- committed ---------------------------------------------------------------------------------------------------
    def get(self, group_id: str, partition: TopicPartition) -> CommittedOffset | None:
        return self.groups.get(group_id, {}).get(partition)

    def of_group(self, group_id: str) -> Mapping[TopicPartition, CommittedOffset]:
        """All offsets of a group in order of topic and partition; empty if it has none."""
        return dict(sorted(self.groups.get(group_id, {}).items()))

    def put(self, group_id: str, partition: TopicPartition, committed: CommittedOffset) -> None:
        """A commit outside of transactions, which counts at once."""
        self.supersede(group_id, partition, self.order)
        self.groups.setdefault(group_id, {})[partition] = committed

    def remove(self, group_id: str, partition: TopicPartition) -> None:
        self.supersede(group_id, partition, self.order)
        offsets = self.groups.get(group_id)
        if offsets is not None:
            offsets.pop(partition, None)
            if not offsets:
                del self.groups[group_id]

    def of_topic(self, topic: str) -> Iterator[tuple[str, TopicPartition]]:
        """(group id, partition) of every offset committed for a topic, or held back; each once."""
        found: dict[tuple[str, TopicPartition], None] = {}
        for groups in (self.groups, *self.held_back.values()):
            for group_id, offsets in groups.items():
                found |= {(group_id, partition): None for partition in offsets if partition[0] == topic}
        yield from found

    # -- transactions ------------------------------------------------------------------------------------------------
    def hold_back(
        self, producer_id: int, group_id: str, offsets: Iterable[tuple[TopicPartition, CommittedOffset]]
    ) -> None:
        """Keeps a transaction's offsets until `finish`; a later commit of the same partition replaces the earlier."""
        self.order += 1
        held = self.held_back.setdefault(producer_id, {}).setdefault(group_id, {})
        held.update((partition, HeldBack(self.order, committed)) for partition, committed in offsets)

    def drop(self, producer_id: int, group_id: str, partitions: Iterable[TopicPartition]) -> None:
        """Forgets held-back offsets that could not be written."""
        groups = self.held_back.get(producer_id, {})
        held = groups.get(group_id, {})
        for partition in partitions:
            held.pop(partition, None)
        if not held:
            groups.pop(group_id, None)
        if not groups:
            self.held_back.pop(producer_id, None)

    def finish(self, producer_id: int, *, commit: bool, concerns: Callable[[str], bool]) -> list[str]:
        """Ends a producer's transaction for the groups that `concerns` names: what it held back of them is committed,
        or forgotten. Returns the groups that it committed for.

        Which offset of a partition counts is decided by the order in which they came, not by that in which their
        transactions end.
        """
        groups = self.held_back.get(producer_id, {})
        finished = {group_id: groups.pop(group_id) for group_id in list(groups) if concerns(group_id)}
        if not groups:
            self.held_back.pop(producer_id, None)
        if not commit:
            return []
        counted: list[str] = []
        for group_id, offsets in finished.items():
            last = {partition: held for partition, held in offsets.items() if held is not None}
            for partition, held in last.items():
                self.supersede(group_id, partition, held.order)
                self.groups.setdefault(group_id, {})[partition] = held.committed
            if last:
                counted.append(group_id)
        return counted

    def supersede(self, group_id: str, partition: TopicPartition, order: int) -> None:
        """What open transactions hold back of the partition, and came no later than `order`, will not count."""
        for groups in self.held_back.values():
            offsets = groups.get(group_id)
            if offsets is not None and (held := offsets.get(partition)) is not None and held.order <= order:
                offsets[partition] = None

    def unstable(self, group_id: str, partition: TopicPartition) -> bool:
        """Whether an open transaction is about to commit this partition."""
        return any(partition in groups.get(group_id, ()) for groups in self.held_back.values())

    def holds_back(self, group_id: str) -> bool:
        return any(group_id in groups for groups in self.held_back.values())

    # -- expiry ------------------------------------------------------------------------------------------------------
    def expired(
        self,
        group_id: str,
        *,
        now_ms: int,
        retention_ms: int,
        base_ms: int | None,
        keep: Callable[[str], bool],
    ) -> list[TopicPartition]:
        """Partitions of a group whose offsets have outlived their retention.

        Counted from `base_ms`, or from each commit if that is None; an offset with an expiry of its own goes by that.
        Topics for which `keep` is true, and partitions an open transaction is about to commit, stay.
        """
        gone: list[TopicPartition] = []
        for partition, committed in self.groups.get(group_id, {}).items():
            if keep(partition[0]) or self.unstable(group_id, partition):
                continue
            if committed.expire_timestamp_ms is not None:
                expired = now_ms >= committed.expire_timestamp_ms
            else:
                start_ms = committed.commit_timestamp_ms if base_ms is None else base_ms
                expired = now_ms - start_ms >= retention_ms
            if expired:
                gone.append(partition)
        return gone
