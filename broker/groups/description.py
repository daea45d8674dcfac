"""What DescribeGroups and ListGroups show of a group."""

from __future__ import annotations

from dataclasses import dataclass

from broker.groups.group import Group
from broker.groups.state import GroupState


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberDescription:
    member_id: str
    instance_id: str | None
    client_id: str
    client_host: str
    metadata: bytes
    assignment: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDescription:
    """`state` names a `GroupState`; protocol, metadata and assignments are shown in Stable only, as in Kafka."""

    group_id: str
    state: str
    protocol_type: str
    protocol_name: str
    members: tuple[MemberDescription, ...]


def describe(group: Group) -> GroupDescription:
    stable = group.is_in(GroupState.STABLE)
    return GroupDescription(
        group_id=group.group_id,
        state=group.state.value,
        protocol_type=group.protocol_type or "",
        protocol_name=(group.protocol_name or "") if stable else "",
        members=tuple(
            MemberDescription(
                member_id=member.member_id,
                instance_id=member.instance_id,
                client_id=member.client_id,
                client_host=member.client_host,
                metadata=member.metadata(group.protocol_name) if stable else b"",
                assignment=member.assignment if stable else b"",
            )
            for member in group.members.values()
        ),
    )


def unknown(group_id: str) -> GroupDescription:
    """A group that is not there is described as Dead."""
    return GroupDescription(
        group_id=group_id, state=GroupState.DEAD.value, protocol_type="", protocol_name="", members=()
    )


def hidden(group_id: str) -> GroupDescription:
    """What those are shown who may not describe a group, whether it is there or not."""
    return GroupDescription(group_id=group_id, state="", protocol_type="", protocol_name="", members=())
