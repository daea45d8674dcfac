"""A member goes: it says so, or its time is over. What it owned is free at once; targets follow at the next heartbeat.

Source: `consumerGroupLeave`, `consumerGroupFenceMember` of Kafka's `GroupMetadataManager`.
"""

from __future__ import annotations

from dataclasses import replace

from broker.consumer_groups.group import ConsumerGroup
from broker.consumer_groups.heartbeat import stop_timers
from broker.consumer_groups.member import AWAY, ConsumerMember
from broker.consumer_groups.partitions import NONE
from broker.consumer_groups.requests import HeartbeatRequest
from broker.consumer_groups.topic_directory import TopicDirectory, metadata_hash
from broker.groups.effects import Cancel, TimerEffect
from broker.groups.timer import Timer, TimerKind


def leave(group: ConsumerGroup, request: HeartbeatRequest, topics: TopicDirectory) -> list[TimerEffect]:
    """Epoch -1 or -2. Raises GroupRefusedError: UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID."""
    member = group.find(request.member_id, request.instance_id)
    if request.member_epoch == AWAY:
        return step_out(group, member)
    return remove(group, [member], topics)


def step_out(group: ConsumerGroup, member: ConsumerMember) -> list[TimerEffect]:
    """A static member that will be back keeps what it owns, for the rest of its session."""
    group.set_progress(member, replace(member.progress, epoch=AWAY, revoking=NONE))
    return [Cancel(Timer(TimerKind.REVOKE, member.member_id))]


def remove(group: ConsumerGroup, members: list[ConsumerMember], topics: TopicDirectory) -> list[TimerEffect]:
    """Removes members for good."""
    effects: list[TimerEffect] = []
    for member in members:
        group.remove(member.member_id)
        effects += stop_timers(member.member_id)
    # With them their subscriptions are gone: that must not look like a change of topics at the next heartbeat.
    group.set_metadata_hash(metadata_hash(group, topics))
    group.raise_epoch()
    return effects
