"""LeaveGroup: a member goes, or is sent away by an administrator.

Source: `classicGroupLeave` of Kafka's `GroupMetadataManager`; KIP-345.
"""

from __future__ import annotations

from kio.schema.errors import ErrorCode

from broker.groups import rebalance
from broker.groups.effects import Cancel, Effect
from broker.groups.group import Group
from broker.groups.requests import MemberIdentity
from broker.groups.settings import GroupSettings
from broker.groups.state import GroupState
from broker.groups.timer import Timer, TimerKind


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
