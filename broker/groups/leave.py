"""LeaveGroup, and members that go without saying so.

Source: `classicGroupLeave`, `expireClassicGroupMemberHeartbeat` of Kafka's `GroupMetadataManager`.
"""

from __future__ import annotations

from kio.schema.errors import ErrorCode

from broker.groups import rebalance
from broker.groups.effects import Cancel, Effect, Schedule, Timer, TimerKind
from broker.groups.group import Group
from broker.groups.requests import MemberIdentity
from broker.groups.settings import GroupSettings
from broker.groups.state import GroupState


def leave(group: Group, settings: GroupSettings, who: MemberIdentity, now_ms: int) -> tuple[ErrorCode, list[Effect]]:
    """Removes one member. An administrator names a static member by its instance id alone (empty member id)."""
    if group.is_in(GroupState.DEAD):
        return ErrorCode.coordinator_not_available, []
    if who.member_id in group.pending:
        group.pending.remove(who.member_id)
        cancel = Cancel(Timer(TimerKind.PENDING, who.member_id))
        return ErrorCode.none, [cancel, *rebalance.complete_if_all_joined(group, now_ms)]
    if not who.member_id and who.instance_id is not None:
        who = MemberIdentity(group.static_ids.get(who.instance_id, ""), who.instance_id)
    error = group.check(who)
    if error is not ErrorCode.none:
        return error, []
    return ErrorCode.none, remove_and_rebalance(group, settings, who.member_id, now_ms)


def remove_and_rebalance(group: Group, settings: GroupSettings, member_id: str, now_ms: int) -> list[Effect]:
    effects = rebalance.dismiss(group, member_id, ErrorCode.unknown_member_id)
    if group.is_in(GroupState.STABLE, GroupState.COMPLETING_REBALANCE, GroupState.PREPARING_REBALANCE):
        effects += rebalance.prepare(group, settings, now_ms)
    return effects


def session_timeout(group: Group, settings: GroupSettings, member_id: str, now_ms: int) -> list[Effect]:
    """Removes a silent member; one that was heard meanwhile, or waits for an answer, gets its timer set again."""
    member = group.members.get(member_id)
    if member is None:
        return []
    timer = Timer(TimerKind.SESSION, member_id)
    if member.session_deadline_ms > now_ms:
        return [Schedule(timer, member.session_deadline_ms)]
    if member.waiting and not member.fresh:
        return [Schedule(timer, now_ms + member.session_timeout_ms)]
    return remove_and_rebalance(group, settings, member_id, now_ms)


def pending_timeout(group: Group, member_id: str, now_ms: int) -> list[Effect]:
    """Nobody came back with the id: the join phase no longer waits for it."""
    group.pending.discard(member_id)
    return rebalance.complete_if_all_joined(group, now_ms)


def timer_fired(group: Group, settings: GroupSettings, timer: Timer, now_ms: int) -> list[Effect]:
    """Routes a timer of this group to its event."""
    match timer.kind:
        case TimerKind.JOIN_PHASE:
            return rebalance.join_phase_timeout(group, settings, now_ms)
        case TimerKind.SYNC_PHASE:
            return rebalance.sync_phase_timeout(group, settings, now_ms)
        case TimerKind.SESSION:
            return session_timeout(group, settings, timer.member_id, now_ms)
        case TimerKind.PENDING:
            return pending_timeout(group, timer.member_id, now_ms)
        case TimerKind.RETENTION:
            raise AssertionError("the retention timer belongs to the coordinator, not to a group")
