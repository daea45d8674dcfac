"""Sets of partitions, as assignments are made of. Topics are named by their ids: a recreated topic is another one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias
from uuid import UUID

TopicIdPartition: TypeAlias = tuple[UUID, int]
Partitions: TypeAlias = frozenset[TopicIdPartition]

NONE: Partitions = frozenset()


def by_topic(partitions: Iterable[TopicIdPartition]) -> dict[UUID, list[int]]:
    """Topic id → partition numbers; both in ascending order."""
    topics: dict[UUID, list[int]] = {}
    for topic_id, index in sorted(partitions):
        topics.setdefault(topic_id, []).append(index)
    return topics
