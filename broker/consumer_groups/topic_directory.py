"""The topics there are, as a group needs to know them."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import Protocol
from uuid import UUID

from broker.consumer_groups.group import ConsumerGroup
from broker.consumer_groups.topic_pattern import compile_pattern
from broker.topics.topic import Topic


class TopicDirectory(Protocol):
    """The broker's catalogue implements it."""

    @property
    def revision(self) -> int:
        """Another one whenever a topic was made, changed or deleted."""
        ...

    def get(self, name: str) -> Topic | None: ...

    def by_id(self, topic_id: UUID) -> Topic | None: ...

    def names(self) -> Iterable[str]: ...


def matching(regex: str | None, topics: TopicDirectory) -> frozenset[str]:
    """Names of the topics that a regular expression matches as a whole; none for no expression."""
    if not regex:
        return frozenset()
    pattern = compile_pattern(regex)
    return frozenset(name for name in topics.names() if pattern.matches(name))


def subscriptions(group: ConsumerGroup, topics: TopicDirectory) -> dict[str, frozenset[str]]:
    """Member id → names of topics that it reads: those it names, be they there or not, and those its expression
    matches."""
    matches = {regex: matching(regex, topics) for regex in {m.profile.regex for m in group.members.values()}}
    return {
        member_id: member.profile.topics | matches[member.profile.regex] for member_id, member in group.members.items()
    }


def metadata_hash(names: Iterable[str], topics: TopicDirectory) -> int:
    """A number that changes when one of these topics is made, deleted, made again, or gets partitions; 0 if none of
    them is there. The same after a restart."""
    lines = [
        f"{topic.name} {topic.id} {topic.partitions}" for name in sorted(set(names)) if (topic := topics.get(name))
    ]
    if not lines:
        return 0
    return int.from_bytes(blake2b("\n".join(lines).encode(), digest_size=8).digest(), "big", signed=True)
