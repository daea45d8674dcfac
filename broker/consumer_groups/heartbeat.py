"""ConsumerGroupHeartbeat of a member that joins or stays: what it says now, then one step towards its target.

Source: `consumerGroupHeartbeat` of Kafka's `GroupMetadataManager`.
"""

from __future__ import annotations

from dataclasses import replace

from kio.schema.errors import ErrorCode

from broker.consumer_groups import reconcile
from broker.consumer_groups.group import ConsumerGroup
from broker.consumer_groups.member import AWAY, JOINING, ConsumerMember, MemberState, Profile, Progress
from broker.consumer_groups.partitions import Partitions
from broker.consumer_groups.requests import GroupRefusedError, HeartbeatRequest
from broker.consumer_groups.settings import ConsumerGroupSettings
from broker.consumer_groups.target import refresh
from broker.consumer_groups.topic_directory import TopicDirectory
from broker.groups.effects import Cancel, Schedule, TimerEffect
from broker.groups.timer import Timer, TimerKind


def heartbeat(
    group: ConsumerGroup,
    settings: ConsumerGroupSettings,
    request: HeartbeatRequest,
    topics: TopicDirectory,
    now_ms: int,
) -> tuple[ConsumerMember, bool, list[TimerEffect]]:
    """The member as it is then, whether it is to be told its assignment, and what is to be done.

    Raises GroupRefusedError, with nothing changed: GROUP_MAX_SIZE_REACHED, UNKNOWN_MEMBER_ID, FENCED_MEMBER_EPOCH,
    FENCED_INSTANCE_ID, UNRELEASED_INSTANCE_ID.
    """
    effects: list[TimerEffect] = []
    if request.member_epoch == JOINING:
        member, is_new = admit(group, settings, request, effects)
    else:
        member, is_new = group.find(request.member_id, request.instance_id), False
        check_epoch(member, request.member_epoch, request.owned)
    before = member.progress
    changed = set_profile(group, member, updated(member.profile, request))
    effects += touch(member, settings.session_timeout_ms, now_ms)
    refresh(group, topics, changed=changed or is_new)
    effects += step(group, member, request.owned, now_ms)
    return member, request.full or member.progress.assigned != before.assigned, effects


# -- who it is -------------------------------------------------------------------------------------------------------
def admit(
    group: ConsumerGroup, settings: ConsumerGroupSettings, request: HeartbeatRequest, effects: list[TimerEffect]
) -> tuple[ConsumerMember, bool]:
    """The member that joins, and whether that is a new one: else it takes the place of one, or is in already."""
    member_id = request.member_id or request.new_member_id
    predecessor = group.members.get(group.static_ids.get(request.instance_id or "", ""))
    if predecessor is not None and predecessor.member_id != member_id:
        if predecessor.progress.epoch != AWAY and predecessor.profile.classic is None:
            raise GroupRefusedError(
                ErrorCode.unreleased_instance_id,
                f"Static member {member_id} with instance id {request.instance_id} cannot join the group because the "
                f"instance id is owned by {predecessor.member_id} member.",
            )
        return take_place(group, predecessor, member_id, effects), False
    known = group.members.get(member_id)
    if known is not None:
        # A client that was fenced, or lost every answer, begins anew: it owns nothing now, and is given its target.
        group.set_progress(known, replace(known.progress, epoch=JOINING, previous_epoch=JOINING))
        return known, False
    if len(group.members) >= settings.max_size:
        raise GroupRefusedError(
            ErrorCode.group_max_size_reached,
            f"The consumer group has reached its maximum capacity of {settings.max_size} members.",
        )
    member = ConsumerMember(member_id=member_id, profile=Profile(instance_id=request.instance_id), progress=Progress())
    group.add(member)
    return member, True


def take_place(
    group: ConsumerGroup, predecessor: ConsumerMember, member_id: str, effects: list[TimerEffect]
) -> ConsumerMember:
    """A static member's new incarnation gets all that the old one had, under a new id, and comes to it again."""
    group.remove(predecessor.member_id)
    effects += stop_timers(predecessor.member_id)
    member = ConsumerMember(
        member_id=member_id,
        profile=predecessor.profile,
        progress=replace(predecessor.progress, epoch=JOINING, previous_epoch=JOINING),
        target=predecessor.target,
    )
    group.add(member)
    return member


def check_epoch(member: ConsumerMember, epoch: int, owned: Partitions | None) -> None:
    """Raises GroupRefusedError: FENCED_MEMBER_EPOCH, unless the answer with the present epoch may have been lost."""
    progress = member.progress
    if epoch == progress.epoch:
        return
    if epoch < progress.epoch and epoch == progress.previous_epoch and owned is not None and owned <= progress.assigned:
        return
    word = "greater" if epoch > progress.epoch else "smaller"
    raise GroupRefusedError(
        ErrorCode.fenced_member_epoch,
        f"The consumer group member has a {word} member epoch ({epoch}) than the one known by the group coordinator "
        f"({progress.epoch}). The member must abandon all its partitions and rejoin.",
    )


# -- what it says ----------------------------------------------------------------------------------------------------
def updated(profile: Profile, request: HeartbeatRequest) -> Profile:
    """What it does not say is as before. One who beats by this protocol does not speak the classic one (any more)."""
    return Profile(
        instance_id=profile.instance_id if request.instance_id is None else request.instance_id,
        rack_id=profile.rack_id if request.rack_id is None else request.rack_id,
        client_id=request.client_id,
        client_host=request.client_host,
        principal=request.principal,
        rebalance_timeout_ms=(
            profile.rebalance_timeout_ms if request.rebalance_timeout_ms == -1 else request.rebalance_timeout_ms
        ),
        topics=profile.topics if request.topics is None else request.topics,
        regex=profile.regex if request.regex is None else request.regex,
        assignor=profile.assignor if request.assignor is None else request.assignor,
    )


def set_profile(group: ConsumerGroup, member: ConsumerMember, profile: Profile) -> bool:
    """Whether the member's subscription has changed, or who sees what its expression matches."""
    before = member.profile
    group.set_profile(member, profile)
    if (profile.topics, profile.regex or "") != (before.topics, before.regex or ""):
        return True
    return bool(profile.regex) and profile.viewer != before.viewer


# -- what follows ----------------------------------------------------------------------------------------------------
def step(group: ConsumerGroup, member: ConsumerMember, owned: Partitions | None, now_ms: int) -> list[TimerEffect]:
    """One step towards the member's target; who has to give something up may take its rebalance timeout to do so."""
    before = member.progress
    progress = reconcile.advance(
        before,
        member.target,
        group.target_epoch,
        owned=owned,
        is_free=lambda partition: group.is_free_for(member, partition),
    )
    group.set_progress(member, progress)
    if progress == before or member.profile.classic is not None:
        return []
    timer = Timer(TimerKind.REVOKE, member.member_id)
    if progress.state is MemberState.UNREVOKED:
        return [Schedule(timer, now_ms + member.profile.rebalance_timeout_ms)]
    return [Cancel(timer)]


def touch(member: ConsumerMember, session_timeout_ms: int, now_ms: int) -> list[TimerEffect]:
    """The member was heard. Its timer is only set if it was not, or is too late now; else it is moved when it fires."""
    member.session_deadline_ms = now_ms + session_timeout_ms
    if member.session_timeout_ms == session_timeout_ms:
        return []
    member.session_timeout_ms = session_timeout_ms
    return [Schedule(Timer(TimerKind.SESSION, member.member_id), member.session_deadline_ms)]


def stop_timers(member_id: str) -> list[TimerEffect]:
    """Of a member that goes."""
    kinds = (TimerKind.SESSION, TimerKind.REVOKE, TimerKind.JOIN_PHASE, TimerKind.SYNC_PHASE)
    return [Cancel(Timer(kind, member_id)) for kind in kinds]
