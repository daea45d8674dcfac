"""Heartbeat: I am here; is my generation still the one? The same questions, asked of an offset commit.

Source: `classicGroupHeartbeat` and `ClassicGroup.validateOffsetCommit` of Apache Kafka.
"""

from __future__ import annotations

from kio.schema.errors import ErrorCode

from broker.groups import sessions
from broker.groups.group import Group
from broker.groups.requests import MemberIdentity
from broker.groups.state import GroupState


def heartbeat(group: Group, who: MemberIdentity, generation: int, now_ms: int) -> ErrorCode:
    """Renews the session. REBALANCE_IN_PROGRESS tells a live member of the join phase.

    In the sync phase the answer is none: a client may beat between its join's answer and its sync.
    """
    if group.is_in(GroupState.DEAD):
        return ErrorCode.coordinator_not_available
    error = news(group, who, generation)
    if error in (ErrorCode.none, ErrorCode.rebalance_in_progress):
        sessions.touch(group.members[who.member_id], now_ms)
    return error


def news(group: Group, who: MemberIdentity, generation: int) -> ErrorCode:
    """What a heartbeat would be told; changes nothing."""
    error = group.check(who)
    if error is not ErrorCode.none:
        return error
    if generation != group.generation:
        return ErrorCode.illegal_generation
    return ErrorCode.rebalance_in_progress if group.is_in(GroupState.PREPARING_REBALANCE) else ErrorCode.none


def check_commit(
    group: Group, who: MemberIdentity, generation: int, now_ms: int, *, transactional: bool = False
) -> ErrorCode:
    """Whether an offset commit may pass; renews the member's session if so.

    A negative generation is a simple commit: it passes while the group has no members. A transactional commit without
    an identity passes always (producers older than KIP-447 send none).
    """
    if group.is_in(GroupState.DEAD):
        return ErrorCode.coordinator_not_available
    if generation < 0 and group.is_in(GroupState.EMPTY):
        return ErrorCode.none
    if generation < 0 and not who.member_id and who.instance_id is None:
        return ErrorCode.none if transactional else ErrorCode.unknown_member_id
    error = group.check(who)
    if error is not ErrorCode.none:
        return error
    if generation != group.generation:
        return ErrorCode.illegal_generation
    sessions.touch(group.members[who.member_id], now_ms)
    if group.is_in(GroupState.COMPLETING_REBALANCE) and not transactional:
        # Its generation is right, so it has joined but not synced: it does not know yet what it owns.
        return ErrorCode.rebalance_in_progress
    return ErrorCode.none
