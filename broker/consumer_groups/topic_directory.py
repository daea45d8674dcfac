"""The topics there are, as a group needs to know them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import NamedTuple, Protocol
from uuid import UUID

from broker.consumer_groups.group import ConsumerGroup
from broker.consumer_groups.member import Viewer
from broker.consumer_groups.topic_pattern import compile_pattern
from broker.topics.topic import Topic


class TopicDirectory(Protocol):
    """The broker's catalogue implements it, behind an authorizer where there is one."""

    @property
    def revision(self) -> int:
        """Another one whenever a topic was made, changed or deleted, or what is shown to whom may have changed."""
        ...

    def get(self, name: str) -> Topic | None: ...

    def by_id(self, topic_id: UUID) -> Topic | None: ...

    def names(self) -> Iterable[str]: ...

    def shows(self, name: str, viewer: Viewer) -> bool:
        """Whether the viewer may know of the topic."""
        ...


class Matches(NamedTuple):
    """Names of the topics that a regular expression matches as a whole."""

    shown: frozenset[str]
    hidden: frozenset[str]
    """Those that the viewer must not know of: they are not read."""


NO_MATCHES = Matches(frozenset(), frozenset())


def matching(regex: str | None, viewer: Viewer, topics: TopicDirectory) -> Matches:
    """None for no expression."""
    if not regex:
        return NO_MATCHES
    pattern = compile_pattern(regex)
    found = frozenset(name for name in topics.names() if pattern.matches(name))
    shown = frozenset(name for name in found if topics.shows(name, viewer))
    return Matches(shown, found - shown)


def all_matches(group: ConsumerGroup, topics: TopicDirectory) -> dict[tuple[str | None, Viewer], Matches]:
    """By expression and viewer: many members share them."""
    keys = {(member.profile.regex, member.profile.viewer) for member in group.members.values()}
    return {key: matching(*key, topics) for key in keys}


def subscriptions(group: ConsumerGroup, topics: TopicDirectory) -> dict[str, frozenset[str]]:
    """Member id → names of topics that it reads: those it names, be they there or not, and those its expression
    matches and it may know of."""
    return subscribed(group, all_matches(group, topics))


def subscribed(group: ConsumerGroup, matches: Mapping[tuple[str | None, Viewer], Matches]) -> dict[str, frozenset[str]]:
    return {
        member_id: member.profile.topics | matches[member.profile.regex, member.profile.viewer].shown
        for member_id, member in group.members.items()
    }


def metadata_hash(group: ConsumerGroup, topics: TopicDirectory) -> int:
    """A number that changes when one of the topics that members read is made, deleted, made again, gets partitions, or
    is hidden from members whose expression matches it, or shown again; 0 if none of them is there. The same after a
    restart. Topics that are hidden from all members do not count."""
    matches = all_matches(group, topics)
    hidden_from: dict[str, set[Viewer]] = {}
    for (_, viewer), found in matches.items():
        for name in found.hidden:
            hidden_from.setdefault(name, set()).add(viewer)
    lines: list[str] = []
    for name in sorted(frozenset[str]().union(*subscribed(group, matches).values())):
        topic = topics.get(name)
        if topic is not None:
            hidden = [f" -{principal}{host}" for principal, host in sorted(hidden_from.get(name, ()))]
            lines.append(f"{topic.name} {topic.id} {topic.partitions}{''.join(hidden)}")
    if not lines:
        return 0
    return int.from_bytes(blake2b("\n".join(lines).encode(), digest_size=8).digest(), "big", signed=True)
