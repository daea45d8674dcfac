"""Timers of members: sessions, partitions that are not given up, classic members that do not come back or sync."""

from __future__ import annotations

from broker.consumer_groups import leave
from broker.consumer_groups.group import ConsumerGroup
from broker.consumer_groups.topic_directory import TopicDirectory
from broker.groups.effects import Schedule, TimerEffect
from broker.groups.timer import Timer, TimerKind


def timer_fired(group: ConsumerGroup, timer: Timer, topics: TopicDirectory, now_ms: int) -> list[TimerEffect]:
    """Removes the member, unless it was heard after its session's timer was set: then that is set again.

    All other timers are cancelled when what they wait for happens.
    """
    member = group.members.get(timer.member_id)
    if member is None:
        return []
    if timer.kind is TimerKind.SESSION and member.session_deadline_ms > now_ms:
        return [Schedule(timer, member.session_deadline_ms)]
    return leave.remove(group, [member], topics)
