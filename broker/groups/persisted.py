"""A group to and from its record in `__consumer_offsets`."""

from __future__ import annotations

from broker.groups import sessions
from broker.groups.effects import Effect
from broker.groups.group import Group
from broker.groups.member import Member, Protocol
from broker.groups.state import GroupState
from broker.offsets.group_metadata import GroupMetadata, MemberMetadata


def to_metadata(group: Group) -> GroupMetadata:
    return GroupMetadata(
        protocol_type=group.protocol_type or "",
        generation=group.generation,
        protocol_name=group.protocol_name,
        leader=group.leader,
        state_since_ms=group.state_since_ms,
        members=tuple(
            MemberMetadata(
                member_id=member.member_id,
                instance_id=member.instance_id,
                client_id=member.client_id,
                client_host=member.client_host,
                rebalance_timeout_ms=member.rebalance_timeout_ms,
                session_timeout_ms=member.session_timeout_ms,
                subscription=member.metadata(group.protocol_name),
                assignment=member.assignment,
            )
            for member in group.members.values()
        ),
    )


def from_metadata(group_id: str, metadata: GroupMetadata, now_ms: int) -> tuple[Group, list[Effect]]:
    """The group as it was when its record was written: Stable with its members, or Empty.

    The members' sessions start anew at `now_ms`: those who are alive go on as if nothing had happened.
    """
    group = Group(
        group_id=group_id,
        state=GroupState.STABLE if metadata.members else GroupState.EMPTY,
        state_since_ms=metadata.state_since_ms if metadata.state_since_ms >= 0 else now_ms,
        generation=metadata.generation,
        protocol_type=metadata.protocol_type or None,
        protocol_name=metadata.protocol_name,
        leader=metadata.leader,
    )
    effects: list[Effect] = []
    for line in metadata.members:
        member = Member(
            member_id=line.member_id,
            instance_id=line.instance_id,
            client_id=line.client_id,
            client_host=line.client_host,
            session_timeout_ms=line.session_timeout_ms,
            rebalance_timeout_ms=line.rebalance_timeout_ms,
            protocols=(Protocol(metadata.protocol_name or "", line.subscription),),
            assignment=line.assignment,
        )
        group.members[member.member_id] = member
        if member.instance_id is not None:
            group.static_ids[member.instance_id] = member.member_id
        effects.append(sessions.start(member, now_ms))
    return group, effects
