"""The two phases of a rebalance: everybody joins, then everybody syncs.

Source: `prepareRebalance`, `completeClassicGroupJoin` and `expirePendingSync` of Kafka's `GroupMetadataManager`.
"""

from __future__ import annotations

from kio.schema.errors import ErrorCode

from broker.groups import sessions
from broker.groups.effects import Cancel, Effect, JoinAnswer, Persist, Schedule, SyncAnswer
from broker.groups.group import Group
from broker.groups.member import Member
from broker.groups.requests import JoinResult, SyncResult
from broker.groups.settings import GroupSettings
from broker.groups.state import GroupState
from broker.groups.timer import Timer, TimerKind

JOIN_PHASE = Timer(TimerKind.JOIN_PHASE)
SYNC_PHASE = Timer(TimerKind.SYNC_PHASE)


def prepare(group: Group, settings: GroupSettings, now_ms: int) -> list[Effect]:
    """Starts the join phase, unless one is on; ends it at once if nobody is missing."""
    if group.is_in(GroupState.PREPARING_REBALANCE):
        return complete_if_all_joined(group, now_ms)
    effects = abandon_sync(group)
    was_empty = group.is_in(GroupState.EMPTY)
    group.enter(GroupState.PREPARING_REBALANCE, now_ms)
    if not was_empty:
        if group.all_joined:
            return effects + complete_join(group, now_ms)
        return [*effects, Schedule(JOIN_PHASE, now_ms + group.rebalance_timeout_ms)]
    delay_ms = settings.initial_rebalance_delay_ms
    if delay_ms == 0:
        return effects + complete_join(group, now_ms)
    group.initial_remaining_ms = max(group.rebalance_timeout_ms - delay_ms, 0)
    group.newcomers = False
    effects.append(Schedule(JOIN_PHASE, now_ms + delay_ms))
    return effects


def abandon_sync(group: Group) -> list[Effect]:
    """Ends a sync phase without an assignment; those who wait for one are told to rejoin."""
    effects: list[Effect] = [Cancel(SYNC_PHASE)]
    group.pending_sync.clear()
    if group.is_in(GroupState.COMPLETING_REBALANCE):
        for member in group.members.values():
            member.assignment = b""
            effects += answer_sync(member, SyncResult(error=ErrorCode.rebalance_in_progress))
    return effects


def complete_if_all_joined(group: Group, now_ms: int) -> list[Effect]:
    """Ends the join phase when nobody is missing (the initial one always waits for its delay)."""
    if not group.is_in(GroupState.PREPARING_REBALANCE) or group.initial_remaining_ms is not None:
        return []
    return complete_join(group, now_ms) if group.all_joined else []


def join_phase_timeout(group: Group, settings: GroupSettings, now_ms: int) -> list[Effect]:
    """Prolongs the initial phase while members keep coming, else ends the join phase without the late."""
    remaining_ms = group.initial_remaining_ms
    if remaining_ms is not None and group.newcomers and remaining_ms > 0:
        delay_ms = min(settings.initial_rebalance_delay_ms, remaining_ms)
        group.initial_remaining_ms = remaining_ms - delay_ms
        group.newcomers = False
        return [Schedule(JOIN_PHASE, now_ms + delay_ms)]
    return complete_join(group, now_ms)


def complete_join(group: Group, now_ms: int) -> list[Effect]:
    """Begins the next generation with those who are there.

    Dynamic members that did not rejoin go. Static ones stay until their session ends: they may be restarting. If only
    such are left, the phase is prolonged, because there is nobody to lead.
    """
    group.initial_remaining_ms = None
    effects: list[Effect] = [Cancel(JOIN_PHASE)]
    for member in [m for m in group.members.values() if m.join_ticket is None and m.instance_id is None]:
        group.remove(member.member_id)
        effects.append(Cancel(sessions.session_timer(member)))
    if not group.members:
        group.generation += 1
        group.protocol_name = None
        group.enter(GroupState.EMPTY, now_ms)
        return [*effects, Persist()]
    if not group.elect():
        return [*effects, Schedule(JOIN_PHASE, now_ms + group.rebalance_timeout_ms)]
    group.generation += 1
    group.protocol_name = group.select_protocol()
    group.enter(GroupState.COMPLETING_REBALANCE, now_ms)
    group.pending_sync = set(group.members)
    effects.append(Schedule(SYNC_PHASE, now_ms + group.rebalance_timeout_ms))
    for member in group.members.values():
        member.fresh = False
        effects.append(sessions.start(member, now_ms))
        effects += answer_join(member, current_generation(group, member))
    return effects


def sync_phase_timeout(group: Group, settings: GroupSettings, now_ms: int) -> list[Effect]:
    """Members that never fetched their assignment go, and the rest rebalance."""
    if not group.pending_sync or not group.is_in(GroupState.COMPLETING_REBALANCE, GroupState.STABLE):
        return []
    effects: list[Effect] = []
    for member_id in [m for m in group.members if m in group.pending_sync]:
        effects += dismiss(group, member_id, ErrorCode.unknown_member_id)
    return effects + prepare(group, settings, now_ms)


def current_generation(group: Group, member: Member) -> JoinResult:
    """The answer to a join that belongs to the generation in force; only the leader gets the roster."""
    return JoinResult(
        member_id=member.member_id,
        generation=group.generation,
        protocol_type=group.protocol_type,
        protocol_name=group.protocol_name,
        leader=group.leader or "",
        members=group.roster() if group.leader == member.member_id else (),
    )


def dismiss(group: Group, member_id: str, error: ErrorCode) -> list[Effect]:
    """Removes a member, its timer, and answers what it waits for with `error`."""
    member = group.remove(member_id)
    return [
        Cancel(sessions.session_timer(member)),
        *answer_join(member, JoinResult(error=error)),
        *answer_sync(member, SyncResult(error=error)),
    ]


def answer_join(member: Member, result: JoinResult) -> list[Effect]:
    """Answers the member's waiting join, if there is one."""
    ticket, member.join_ticket = member.join_ticket, None
    return [] if ticket is None else [JoinAnswer(ticket, result)]


def answer_sync(member: Member, result: SyncResult) -> list[Effect]:
    """Answers the member's waiting sync, if there is one."""
    ticket, member.sync_ticket = member.sync_ticket, None
    return [] if ticket is None else [SyncAnswer(ticket, result)]
