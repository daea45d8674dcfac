"""Members of a consumer group that speak the classic protocol: clients that are not upgraded yet, or not any more.

They go the same way to their target as others, by other words: a heartbeat that says REBALANCE_IN_PROGRESS has them
join, with what they own in their subscription; the join is one step on the way and tells their epoch as generation; the
sync tells what they own then. No member leads, and nobody waits for another.

Source: `classicGroupJoinToConsumerGroup`, `…SyncToConsumerGroup`, `…HeartbeatToConsumerGroup` of Kafka's
`GroupMetadataManager`.
"""

from __future__ import annotations

from dataclasses import replace

from kio.schema.errors import ErrorCode

from broker.consumer_groups.group import ConsumerGroup
from broker.consumer_groups.heartbeat import set_profile, step, take_place, touch
from broker.consumer_groups.member import ClassicSide, ConsumerMember, MemberState, Profile, Progress
from broker.consumer_groups.partitions import Partitions, by_topic
from broker.consumer_groups.requests import GroupRefusedError
from broker.consumer_groups.settings import ConsumerGroupSettings
from broker.consumer_groups.target import refresh
from broker.consumer_groups.topic_directory import TopicDirectory
from broker.groups.consumer_protocol import (
    CONSUMER_PROTOCOL_TYPE,
    Subscription,
    encode_assignment,
    parse_subscription,
)
from broker.groups.effects import Cancel, Schedule, TimerEffect
from broker.groups.member import Protocol
from broker.groups.requests import JoinRequest, JoinResult, MemberIdentity, SyncRequest
from broker.groups.timer import Timer, TimerKind


def join(
    group: ConsumerGroup,
    settings: ConsumerGroupSettings,
    request: JoinRequest,
    topics: TopicDirectory,
    now_ms: int,
) -> tuple[JoinResult, list[TimerEffect]]:
    """Joins, or takes the next step. Raises GroupRefusedError with nothing changed."""
    effects: list[TimerEffect] = []
    check_join(group, settings, request)
    if not request.member_id and request.instance_id is None and request.requires_known_id:
        return JoinResult(error=ErrorCode.member_id_required, member_id=request.new_member_id), []
    subscription = parse_subscription(request.protocols[0].metadata)
    if subscription is None:
        raise not_supported(request)
    member, is_new = admit(group, request, effects)
    profile = replace(
        member.profile,
        instance_id=request.instance_id,
        rack_id=member.profile.rack_id if subscription.rack_id is None else subscription.rack_id,
        client_id=request.client_id,
        client_host=request.client_host,
        rebalance_timeout_ms=request.rebalance_timeout_ms,
        topics=subscription.topics,
        regex=None,
        classic=ClassicSide(session_timeout_ms=request.session_timeout_ms, protocols=request.protocols),
    )
    changed = set_profile(group, member, profile)
    refresh(group, topics, changed=changed or is_new)
    effects += step(group, member, owned_partitions(subscription, topics), now_ms)
    effects += touch(member, request.session_timeout_ms, now_ms)
    member.asked_to_rejoin = False
    effects.append(Cancel(Timer(TimerKind.JOIN_PHASE, member.member_id)))
    effects.append(Schedule(Timer(TimerKind.SYNC_PHASE, member.member_id), now_ms + request.rebalance_timeout_ms))
    result = JoinResult(
        member_id=member.member_id,
        generation=member.progress.epoch,
        protocol_type=CONSUMER_PROTOCOL_TYPE,
        protocol_name=request.protocols[0].name,
    )
    return result, effects


def check_join(group: ConsumerGroup, settings: ConsumerGroupSettings, request: JoinRequest) -> None:
    """Raises GroupRefusedError: GROUP_MAX_SIZE_REACHED, INCONSISTENT_GROUP_PROTOCOL."""
    known = request.member_id in group.members or request.instance_id in group.static_ids
    if not known and len(group.members) >= settings.max_size:
        raise GroupRefusedError(ErrorCode.group_max_size_reached, "The consumer group is full.")
    common = common_protocols(group)
    speaks = common is None or any(protocol.name in common for protocol in request.protocols)
    allowed = settings.migration_policy != "disabled"
    if request.protocol_type != CONSUMER_PROTOCOL_TYPE or not request.protocols or not speaks or not allowed:
        raise not_supported(request)


def not_supported(request: JoinRequest) -> GroupRefusedError:
    return GroupRefusedError(
        ErrorCode.inconsistent_group_protocol, f"Member {request.member_id}'s protocols are not supported."
    )


def common_protocols(group: ConsumerGroup) -> set[str] | None:
    """Names that all classic members speak; None: there are no such members."""
    spoken = [{p.name for p in m.profile.classic.protocols} for m in group.members.values() if m.profile.classic]
    return set[str].intersection(*spoken) if spoken else None


def admit(group: ConsumerGroup, request: JoinRequest, effects: list[TimerEffect]) -> tuple[ConsumerMember, bool]:
    """The member that joins, and whether it is new. A static one takes its predecessor's place without asking."""
    member_id = request.member_id or request.new_member_id
    if request.instance_id is not None:
        if request.member_id:
            return group.find(request.member_id, request.instance_id), False
        predecessor = group.members.get(group.static_ids.get(request.instance_id, ""))
        if predecessor is not None:
            return take_place(group, predecessor, member_id, effects), False
    known = group.members.get(member_id)
    if known is not None:
        return known, False
    member = ConsumerMember(member_id=member_id, profile=Profile(instance_id=request.instance_id), progress=Progress())
    group.add(member)
    return member, True


def owned_partitions(subscription: Subscription, topics: TopicDirectory) -> Partitions:
    """What the member says it owns, of topics that are there."""
    return frozenset((topic.id, index) for name, index in subscription.owned if (topic := topics.get(name)) is not None)


def sync(
    group: ConsumerGroup, request: SyncRequest, topics: TopicDirectory, now_ms: int
) -> tuple[bytes, list[TimerEffect]]:
    """What the member owns at its epoch. Raises GroupRefusedError: UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID,
    ILLEGAL_GENERATION, INCONSISTENT_GROUP_PROTOCOL."""
    member, classic = find(group, MemberIdentity(request.member_id, request.instance_id), request.generation)
    name = classic.protocols[0].name
    if request.protocol_type not in (None, CONSUMER_PROTOCOL_TYPE) or request.protocol_name not in (None, name):
        raise GroupRefusedError(ErrorCode.inconsistent_group_protocol, f"The member's protocol is {name}.")
    effects = touch(member, classic.session_timeout_ms, now_ms)
    effects.append(Cancel(Timer(TimerKind.SYNC_PHASE, member.member_id)))
    return assignment(member.progress.assigned, classic.protocols[0], topics), effects


def must_rejoin(group: ConsumerGroup, member: ConsumerMember) -> bool:
    """There is something for it to learn that only a join can tell."""
    progress = member.progress
    if progress.state is MemberState.UNREVOKED or progress.epoch < group.epoch:
        return True
    missing = member.target - progress.assigned
    return progress.state is MemberState.UNRELEASED and all(group.is_free_for(member, each) for each in missing)


def heartbeat(
    group: ConsumerGroup, who: MemberIdentity, generation: int, now_ms: int
) -> tuple[ErrorCode, list[TimerEffect]]:
    """Raises GroupRefusedError: UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION."""
    member, classic = find(group, who, generation)
    effects = touch(member, classic.session_timeout_ms, now_ms)
    if not must_rejoin(group, member):
        return ErrorCode.none, effects
    return ErrorCode.rebalance_in_progress, [*effects, *ask_to_rejoin(member, now_ms)]


def has_news(group: ConsumerGroup, who: MemberIdentity, generation: int) -> bool:
    """Whether a heartbeat would be told anything; changes nothing."""
    try:
        member, _ = find(group, who, generation)
    except GroupRefusedError:
        return True
    return must_rejoin(group, member)


def ask_to_rejoin(member: ConsumerMember, now_ms: int) -> list[TimerEffect]:
    """From the first time it is asked it has its rebalance timeout."""
    if member.asked_to_rejoin:
        return []
    member.asked_to_rejoin = True
    timer = Timer(TimerKind.JOIN_PHASE, member.member_id)
    return [Schedule(timer, now_ms + member.profile.rebalance_timeout_ms)]


def find(group: ConsumerGroup, who: MemberIdentity, generation: int) -> tuple[ConsumerMember, ClassicSide]:
    member = group.find(who.member_id, who.instance_id)
    classic = member.profile.classic
    if classic is None:
        raise GroupRefusedError(
            ErrorCode.unknown_member_id, f"Member {member.member_id} does not use the classic protocol."
        )
    if generation != member.progress.epoch:
        raise GroupRefusedError(
            ErrorCode.illegal_generation, f"The generation is {generation}, the member's epoch {member.progress.epoch}."
        )
    return member, classic


def find_leaving(group: ConsumerGroup, who: MemberIdentity) -> ConsumerMember:
    """Who leaves by LeaveGroup; an administrator, who may send away members of both protocols, names a static one by
    its instance id alone. Raises GroupRefusedError: UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID."""
    member_id = who.member_id or group.static_ids.get(who.instance_id or "", "")
    return group.find(member_id, who.instance_id)


def assignment(partitions: Partitions, protocol: Protocol, topics: TopicDirectory) -> bytes:
    """As the member's consumer protocol writes it down; topics that are no more are left out."""
    subscription = parse_subscription(protocol.metadata)
    named = {topic.name: found for topic_id, found in by_topic(partitions).items() if (topic := topics.by_id(topic_id))}
    return encode_assignment(0 if subscription is None else subscription.version, named)
