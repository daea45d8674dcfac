"""SyncGroup: the leader brings the assignment, everybody takes their part.

Source: `classicGroupSync` of Kafka's `GroupMetadataManager`; KIP-559 (protocol type and name from v5).
"""

from __future__ import annotations

from kio.schema.errors import ErrorCode

from broker.groups import rebalance, sessions
from broker.groups.effects import Cancel, Effect, Persist, SyncAnswer
from broker.groups.group import Group
from broker.groups.member import Member
from broker.groups.requests import MemberIdentity, SyncRequest, SyncResult
from broker.groups.state import GroupState


def sync(group: Group, request: SyncRequest, ticket: int, now_ms: int) -> list[Effect]:
    """Handles a SyncGroup; the answer to `ticket` comes now, or with the leader's assignment."""
    error = check(group, request)
    if error is not ErrorCode.none:
        return [SyncAnswer(ticket, SyncResult(error=error))]
    member = group.members[request.member_id]
    sessions.touch(member, now_ms)
    effects = rebalance.answer_sync(member, SyncResult(error=ErrorCode.rebalance_in_progress))  # an older sync of it
    member.sync_ticket = ticket
    if group.is_in(GroupState.COMPLETING_REBALANCE):
        if group.leader != member.member_id:
            group.pending_sync.discard(member.member_id)  # it has come for its assignment: only the leader is missing
            return effects
        for each in group.members.values():
            each.assignment = request.assignments.get(each.member_id, b"")
        group.enter(GroupState.STABLE, now_ms)
        effects.append(Persist())
    for each in group.members.values():
        if each.sync_ticket is not None:
            effects += hand_out(group, each, now_ms)
    if not group.pending_sync:
        effects.append(Cancel(rebalance.SYNC_PHASE))
    return effects


def check(group: Group, request: SyncRequest) -> ErrorCode:
    """Whether the request is a current member's, for the generation in force, in a state that has assignments."""
    if group.is_in(GroupState.DEAD):
        return ErrorCode.coordinator_not_available
    error = group.check(MemberIdentity(request.member_id, request.instance_id))
    if error is not ErrorCode.none:
        return error
    if request.generation != group.generation:
        return ErrorCode.illegal_generation
    if request.protocol_type not in (None, group.protocol_type) or request.protocol_name not in (
        None,
        group.protocol_name,
    ):
        return ErrorCode.inconsistent_group_protocol
    if group.is_in(GroupState.PREPARING_REBALANCE):
        return ErrorCode.rebalance_in_progress
    return ErrorCode.none


def hand_out(group: Group, member: Member, now_ms: int) -> list[Effect]:
    group.pending_sync.discard(member.member_id)
    sessions.touch(member, now_ms)
    return rebalance.answer_sync(
        member,
        SyncResult(protocol_type=group.protocol_type, protocol_name=group.protocol_name, assignment=member.assignment),
    )
