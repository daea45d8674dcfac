"""What members are to own: made anew whenever the group's epoch has passed the target's.

Source: `TargetAssignmentBuilder` of Apache Kafka.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from broker.consumer_groups.assignor import AssignmentTask, Assignor, MemberToAssign
from broker.consumer_groups.group import ConsumerGroup
from broker.consumer_groups.partitions import Partitions
from broker.consumer_groups.range_assignor import assign_ranges
from broker.consumer_groups.settings import ASSIGNORS
from broker.consumer_groups.topic_directory import TopicDirectory, metadata_hash, subscriptions
from broker.consumer_groups.uniform_assignor import assign_uniformly

BY_NAME: Mapping[str, Assignor] = MappingProxyType(dict(zip(ASSIGNORS, (assign_uniformly, assign_ranges), strict=True)))


def refresh(group: ConsumerGroup, topics: TopicDirectory, *, changed: bool) -> None:
    """Raises the epoch if members or subscriptions have `changed`, or the topics they read; then makes the target.

    Topics are only looked at again where that may matter: a heartbeat of a settled group costs two comparisons.
    """
    if changed or group.topics_revision != topics.revision:
        group.topics_revision = topics.revision
        found = metadata_hash(group, topics)
        if changed or found != group.metadata_hash:
            group.set_metadata_hash(found)
            group.raise_epoch()
    if group.epoch > group.target_epoch:
        group.set_targets(make_targets(group, topics))


def make_targets(group: ConsumerGroup, topics: TopicDirectory) -> dict[str, Partitions]:
    """A line for every member, by the assignor that most of them ask for."""
    read = subscriptions(group, topics)
    known = {
        name: topic for name in sorted({n for names in read.values() for n in names}) if (topic := topics.get(name))
    }
    task = AssignmentTask(
        members=tuple(
            MemberToAssign(
                member_id=member_id,
                instance_id=member.profile.instance_id,
                topics=frozenset(known[name].id for name in read[member_id] if name in known),
                target=member.target,
            )
            for member_id, member in group.members.items()
        ),
        partitions={topic.id: topic.partitions for topic in known.values()},
    )
    return BY_NAME[group.assignor()](task)
