"""JoinGroup: a newcomer, a member coming back, or a static member's new incarnation.

Source: `classicGroupJoin…` of Kafka's `GroupMetadataManager`; KIP-345, KIP-394, KIP-814.
"""

from __future__ import annotations

from kio.schema.errors import ErrorCode

from broker.groups import rebalance, sessions
from broker.groups.effects import Cancel, Effect, JoinAnswer, Persist, Schedule
from broker.groups.group import Group
from broker.groups.member import Member
from broker.groups.requests import JoinRequest, JoinResult, MemberIdentity, SyncResult
from broker.groups.settings import GroupSettings
from broker.groups.state import GroupState
from broker.groups.timer import Timer, TimerKind


def join(group: Group, settings: GroupSettings, request: JoinRequest, ticket: int, now_ms: int) -> list[Effect]:
    """Handles a JoinGroup; the answer to `ticket` is among the effects now or in those of a later event."""
    if group.is_in(GroupState.DEAD):
        return refuse(ticket, request, ErrorCode.coordinator_not_available)
    if not has_room(group, settings, request.member_id):
        return refuse(ticket, request, ErrorCode.group_max_size_reached)
    if not group.supports(request.protocol_type, request.protocols):
        return refuse(ticket, request, ErrorCode.inconsistent_group_protocol)
    if request.member_id:
        return known_member_joins(group, settings, request, ticket, now_ms)
    if request.instance_id is not None:
        if request.instance_id in group.static_ids:
            return static_member_returns(group, settings, request, ticket, now_ms)
        return add_member(group, settings, request, request.new_member_id, ticket, now_ms)
    if request.requires_known_id:
        group.pending.add(request.new_member_id)
        timer = Timer(TimerKind.PENDING, request.new_member_id)
        answer = JoinResult(error=ErrorCode.member_id_required, member_id=request.new_member_id)
        return [Schedule(timer, now_ms + request.session_timeout_ms), JoinAnswer(ticket, answer)]
    return add_member(group, settings, request, request.new_member_id, ticket, now_ms)


def refuse(ticket: int, request: JoinRequest, error: ErrorCode) -> list[Effect]:
    return [JoinAnswer(ticket, JoinResult(error=error, member_id=request.member_id))]


def has_room(group: Group, settings: GroupSettings, member_id: str) -> bool:
    """Members that are in stay in (in the join phase: those who rejoined first), newcomers only below the limit."""
    if group.is_in(GroupState.PREPARING_REBALANCE):
        member = group.members.get(member_id)
        if member is not None and member.join_ticket is not None:
            return True
        return sum(m.join_ticket is not None for m in group.members.values()) < settings.max_size
    return member_id in group.members or len(group.members) < settings.max_size


def known_member_joins(
    group: Group, settings: GroupSettings, request: JoinRequest, ticket: int, now_ms: int
) -> list[Effect]:
    """One who names its id: a pending member's first real join, or a member on its way to the next generation."""
    if request.member_id in group.pending and request.instance_id is None:
        effects = add_member(group, settings, request, request.member_id, ticket, now_ms)
        return [Cancel(Timer(TimerKind.PENDING, request.member_id)), *effects]
    error = group.check(MemberIdentity(request.member_id, request.instance_id))
    if error is not ErrorCode.none:
        return refuse(ticket, request, error)
    member = group.members[request.member_id]
    unchanged = member.protocols == request.protocols
    if unchanged and group.is_in(GroupState.COMPLETING_REBALANCE):
        # It did not get the answer to its join, or joined again before syncing: same generation, same answer.
        sessions.touch(member, now_ms)
        return [JoinAnswer(ticket, rebalance.current_generation(group, member))]
    if unchanged and group.is_in(GroupState.STABLE) and group.leader != member.member_id:
        sessions.touch(member, now_ms)
        return [JoinAnswer(ticket, rebalance.current_generation(group, member))]
    # The leader rejoins in Stable only because it saw something its assignment must follow (topics, partitions).
    effects = update_member(member, request, ticket, now_ms)
    return effects + rebalance.prepare(group, settings, now_ms)


def add_member(
    group: Group, settings: GroupSettings, request: JoinRequest, member_id: str, ticket: int, now_ms: int
) -> list[Effect]:
    """A new member: whatever the group was doing, it rebalances."""
    member = Member(
        member_id=member_id,
        instance_id=request.instance_id,
        client_id=request.client_id,
        client_host=request.client_host,
        session_timeout_ms=request.session_timeout_ms,
        rebalance_timeout_ms=request.rebalance_timeout_ms,
        protocols=request.protocols,
        join_ticket=ticket,
        fresh=True,
        session_deadline_ms=now_ms + settings.new_member_timeout_ms,
    )
    group.add(member, request.protocol_type)
    group.newcomers = True
    effects: list[Effect] = [Schedule(sessions.session_timer(member), member.session_deadline_ms)]
    return effects + rebalance.prepare(group, settings, now_ms)


def update_member(member: Member, request: JoinRequest, ticket: int, now_ms: int) -> list[Effect]:
    """Takes over what the member says now; an older join of it that still waits is told to go."""
    effects = rebalance.answer_join(member, JoinResult(error=ErrorCode.rebalance_in_progress))
    member.protocols = request.protocols
    member.session_timeout_ms = request.session_timeout_ms
    member.rebalance_timeout_ms = request.rebalance_timeout_ms
    member.client_id = request.client_id
    member.client_host = request.client_host
    member.join_ticket = ticket
    effects.append(sessions.start(member, now_ms))
    return effects


def static_member_returns(
    group: Group, settings: GroupSettings, request: JoinRequest, ticket: int, now_ms: int
) -> list[Effect]:
    """The same instance id with no member id: a restarted process takes the place of its predecessor.

    In Stable that costs no rebalance as long as the vote for the protocol stays the same: the newcomer inherits the
    assignment, and its metadata counts from the next rebalance on. A replaced leader must not assign again, so it is
    told that the *old* id leads, or (JoinGroup v9) to skip the assignment.
    """
    assert request.instance_id is not None
    old_leader = group.leader
    member = group.members[group.static_ids[request.instance_id]]
    effects: list[Effect] = [
        Cancel(sessions.session_timer(member)),
        *rebalance.answer_join(member, JoinResult(error=ErrorCode.fenced_instance_id)),
        *rebalance.answer_sync(member, SyncResult(error=ErrorCode.fenced_instance_id)),
    ]
    group.replace_static(request.instance_id, request.new_member_id)
    effects += update_member(member, request, ticket, now_ms)
    if not group.is_in(GroupState.STABLE) or group.select_protocol() != group.protocol_name:
        return effects + rebalance.prepare(group, settings, now_ms)
    leads = group.leader == member.member_id
    answer = JoinResult(
        member_id=member.member_id,
        generation=group.generation,
        protocol_type=group.protocol_type,
        protocol_name=group.protocol_name,
        leader=(group.leader if request.can_skip_assignment else old_leader) or "",
        skip_assignment=leads and request.can_skip_assignment,
        members=group.roster() if leads and request.can_skip_assignment else (),
    )
    return [*effects, Persist(), *rebalance.answer_join(member, answer)]
