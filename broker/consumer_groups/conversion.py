"""A classic group that becomes a consumer group, and back, with members in it (KIP-848, online migration).

The first member of the consumer protocol that joins a classic group of consumers makes it a consumer group; when the
last one of them has gone, it is a classic group again. What members own stays what they own.

Source: `ConsumerGroup.fromClassicGroup`, `ClassicGroup.fromConsumerGroup` of Apache Kafka.
"""

from __future__ import annotations

from broker.consumer_groups.classic_member import assignment
from broker.consumer_groups.group import ConsumerGroup
from broker.consumer_groups.member import ClassicSide, ConsumerMember, Profile, Progress
from broker.consumer_groups.partitions import TopicIdPartition
from broker.consumer_groups.settings import ConsumerGroupSettings
from broker.consumer_groups.topic_directory import TopicDirectory, metadata_hash
from broker.groups.consumer_protocol import CONSUMER_PROTOCOL_TYPE, parse_assignment, parse_subscription
from broker.groups.effects import Schedule, TimerEffect
from broker.groups.group import Group
from broker.groups.member import Member
from broker.groups.state import GroupState
from broker.groups.timer import Timer, TimerKind


def upgraded(
    classic: Group, settings: ConsumerGroupSettings, topics: TopicDirectory, now_ms: int
) -> tuple[ConsumerGroup, list[TimerEffect]] | None:
    """The consumer group that a classic one with members becomes, which is left as it is; None if it cannot.

    Its epoch is the generation; every member is at it, with the assignment it has. A partition that the leader gave to
    several members is the first one's.
    """
    allowed = settings.migration_policy in ("bidirectional", "upgrade")
    if not allowed or classic.protocol_type != CONSUMER_PROTOCOL_TYPE or len(classic.members) > settings.max_size:
        return None
    group = ConsumerGroup(group_id=classic.group_id, epoch=classic.generation, target_epoch=classic.generation)
    effects: list[TimerEffect] = []
    for member in classic.members.values():
        subscription = parse_subscription(member.protocols[0].metadata)
        named = parse_assignment(member.assignment)
        if subscription is None or named is None:
            return None
        owned: set[TopicIdPartition] = set()
        for name, index in named:
            topic = topics.get(name)
            if topic is not None and (topic.id, index) not in group.owners:
                owned.add((topic.id, index))
        group.add(
            ConsumerMember(
                member_id=member.member_id,
                profile=Profile(
                    instance_id=member.instance_id,
                    rack_id=subscription.rack_id,
                    client_id=member.client_id,
                    client_host=member.client_host,
                    rebalance_timeout_ms=member.rebalance_timeout_ms,
                    topics=subscription.topics,
                    classic=ClassicSide(session_timeout_ms=member.session_timeout_ms, protocols=member.protocols),
                ),
                progress=Progress(
                    epoch=classic.generation, previous_epoch=classic.generation, assigned=frozenset(owned)
                ),
                target=frozenset(owned),
                session_timeout_ms=member.session_timeout_ms,
                session_deadline_ms=now_ms + member.session_timeout_ms,
            )
        )
        effects.append(Schedule(Timer(TimerKind.SESSION, member.member_id), now_ms + member.session_timeout_ms))
    group.set_metadata_hash(metadata_hash(group, topics))
    group.mark_all()
    return group, effects


def is_due_to_downgrade(group: ConsumerGroup, settings: ConsumerGroupSettings) -> bool:
    """Only members of the classic protocol are left, and there are some."""
    allowed = settings.migration_policy in ("bidirectional", "downgrade")
    members = group.members.values()
    return allowed and bool(members) and all(member.profile.classic is not None for member in members)


def downgraded(group: ConsumerGroup, topics: TopicDirectory, now_ms: int) -> Group:
    """The classic group that a consumer group of classic members becomes: stable, in the generation that was its
    epoch. A member that was not there yet joins again, because its generation is another one."""
    classic = Group(
        group_id=group.group_id,
        state=GroupState.STABLE,
        state_since_ms=now_ms,
        generation=group.epoch,
        protocol_type=CONSUMER_PROTOCOL_TYPE,
    )
    for member in group.members.values():
        side = member.profile.classic
        assert side is not None, "none but classic members are left"
        classic.add(
            Member(
                member_id=member.member_id,
                instance_id=member.profile.instance_id,
                client_id=member.profile.client_id,
                client_host=member.profile.client_host,
                session_timeout_ms=side.session_timeout_ms,
                rebalance_timeout_ms=member.profile.rebalance_timeout_ms,
                protocols=side.protocols,
                assignment=assignment(member.progress.assigned, side.protocols[0], topics),
            ),
            CONSUMER_PROTOCOL_TYPE,
        )
    classic.protocol_name = classic.select_protocol()
    return classic
