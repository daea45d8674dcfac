"""What ConsumerGroupDescribe shows of a consumer group."""

from __future__ import annotations

from dataclasses import dataclass

from broker.consumer_groups.group import ConsumerGroup
from broker.consumer_groups.member import ConsumerMember, Profile
from broker.consumer_groups.partitions import Partitions


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerMemberDescription:
    member_id: str
    member_epoch: int
    profile: Profile
    assigned: Partitions
    """What it has, with what it is to give up."""
    target: Partitions


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerGroupDescription:
    """`state` names a `ConsumerGroupState`."""

    group_id: str
    state: str
    epoch: int
    target_epoch: int
    assignor: str
    members: tuple[ConsumerMemberDescription, ...]


def describe(group: ConsumerGroup) -> ConsumerGroupDescription:
    return ConsumerGroupDescription(
        group_id=group.group_id,
        state=group.state.value,
        epoch=group.epoch,
        target_epoch=group.target_epoch,
        assignor=group.assignor(),
        members=tuple(describe_member(member) for member in group.members.values()),
    )


def describe_member(member: ConsumerMember) -> ConsumerMemberDescription:
    return ConsumerMemberDescription(
        member_id=member.member_id,
        member_epoch=member.progress.epoch,
        profile=member.profile,
        assigned=member.progress.assigned | member.progress.revoking,
        target=member.target,
    )
