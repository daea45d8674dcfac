"""Timers: members that go without saying so, and phases that have lasted long enough.

Source: `expireClassicGroupMemberHeartbeat`, `expirePendingSync` of Kafka's `GroupMetadataManager`.
"""

from __future__ import annotations

from broker.groups import leave, rebalance
from broker.groups.effects import Effect, Schedule
from broker.groups.group import Group
from broker.groups.settings import GroupSettings
from broker.groups.timer import Timer, TimerKind


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
    return leave.remove_and_rebalance(group, settings, member_id, now_ms)


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
        case TimerKind.RETENTION | TimerKind.REVOKE | TimerKind.HOLD:
            raise AssertionError(f"{timer} is no timer of a classic group")
