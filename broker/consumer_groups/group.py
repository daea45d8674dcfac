"""A consumer group (KIP-848): its members, its epochs, who owns what, and the rules that need no events.

Three kinds of epochs: the group's grows when members, subscriptions or topics change; the target's says of which
epoch of the group the target is; a member's says which target it has come to.

The events live beside it: `heartbeat`, `leave`, `expiry`, and for members that speak the classic protocol
`classic_member`. They are the only ones to mutate a group; nothing here does I/O, reads a clock or draws random
numbers.

Source: `ConsumerGroup` and `ModernGroup` of Apache Kafka's group coordinator.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar

from kio.schema.errors import ErrorCode

from broker.consumer_groups.member import ConsumerMember, Profile, Progress
from broker.consumer_groups.partitions import Partitions, TopicIdPartition
from broker.consumer_groups.record_key import (
    EPOCH,
    PROFILE,
    PROGRESS,
    TARGET,
    TARGET_EPOCH,
    ConsumerGroupKey,
)
from broker.consumer_groups.requests import GroupRefusedError
from broker.consumer_groups.settings import ASSIGNORS
from broker.consumer_groups.state import ConsumerGroupState
from broker.groups.kind import GroupType


@dataclass(slots=True, kw_only=True)
class ConsumerGroup:
    """Mutable state of one group. The order of `members` is the order of joining."""

    type: ClassVar[GroupType] = "consumer"
    group_id: str
    epoch: int = 1
    metadata_hash: int = 0
    """Of the subscribed topics as they were when the epoch was last raised; 0: none."""
    target_epoch: int = 0
    members: dict[str, ConsumerMember] = field(default_factory=dict[str, ConsumerMember])
    static_ids: dict[str, str] = field(default_factory=dict[str, str])
    """Instance id → id of the member that holds it."""
    owners: dict[TopicIdPartition, str] = field(default_factory=dict[TopicIdPartition, str])
    """Partition → the member that owns it or has yet to give it up."""
    topics_revision: int = -1
    """Of the topics when the group last looked at them."""
    unsaved: dict[ConsumerGroupKey, None] = field(default_factory=dict[ConsumerGroupKey, None])
    """Keys of records that are not as the group is now, in the order in which they changed."""

    # -- state -------------------------------------------------------------------------------------------------------
    @property
    def state(self) -> ConsumerGroupState:
        if not self.members:
            return ConsumerGroupState.EMPTY
        if self.epoch > self.target_epoch:
            return ConsumerGroupState.ASSIGNING
        if all(member.progress.reconciled(self.target_epoch) for member in self.members.values()):
            return ConsumerGroupState.STABLE
        return ConsumerGroupState.RECONCILING

    def assignor(self) -> str:
        """The assignor that most members ask for; of two, the one asked for first."""
        votes: dict[str, int] = {}
        for member in self.members.values():
            if member.profile.assignor is not None:
                votes[member.profile.assignor] = votes.get(member.profile.assignor, 0) + 1
        return max(votes, key=lambda name: votes[name]) if votes else ASSIGNORS[0]

    # -- epochs ------------------------------------------------------------------------------------------------------
    def raise_epoch(self) -> None:
        self.epoch += 1
        self.mark(EPOCH)

    def set_metadata_hash(self, metadata_hash: int) -> None:
        if metadata_hash != self.metadata_hash:
            self.metadata_hash = metadata_hash
            self.mark(EPOCH)

    def set_targets(self, targets: dict[str, Partitions]) -> None:
        """A new target assignment, made of the present epoch, with one line for every member."""
        for member_id, target in targets.items():
            self.set_target(self.members[member_id], target)
        self.target_epoch = self.epoch
        self.mark(TARGET_EPOCH)

    # -- members -----------------------------------------------------------------------------------------------------
    def add(self, member: ConsumerMember) -> None:
        self.members[member.member_id] = member
        if member.profile.instance_id is not None:
            self.static_ids[member.profile.instance_id] = member.member_id
        for partition in member.progress.assigned | member.progress.revoking:
            self.owners[partition] = member.member_id
        for kind in (PROFILE, TARGET, PROGRESS):
            self.mark(kind, member.member_id)

    def remove(self, member_id: str) -> ConsumerMember:
        """Removes a member and frees what it owned; the epoch stays."""
        member = self.members.pop(member_id)
        instance_id = member.profile.instance_id
        if instance_id is not None and self.static_ids.get(instance_id) == member_id:
            del self.static_ids[instance_id]
        self.disown(member)
        for kind in (PROGRESS, TARGET, PROFILE):
            self.mark(kind, member_id)
        return member

    def set_profile(self, member: ConsumerMember, profile: Profile) -> None:
        if profile != member.profile:
            member.profile = profile
            self.mark(PROFILE, member.member_id)
            if profile.instance_id is not None:
                self.static_ids[profile.instance_id] = member.member_id

    def set_target(self, member: ConsumerMember, target: Partitions) -> None:
        if target != member.target:
            member.target = target
            self.mark(TARGET, member.member_id)

    def set_progress(self, member: ConsumerMember, progress: Progress) -> None:
        """Raises AssertionError where a partition would have two owners: a bug here, not a client's fault."""
        if progress == member.progress:
            return
        self.disown(member)
        member.progress = progress
        for partition in progress.assigned | progress.revoking:
            owner = self.owners.setdefault(partition, member.member_id)
            if owner != member.member_id:
                raise AssertionError(f"group {self.group_id!r}: {partition} of {member.member_id} is {owner}'s")
        self.mark(PROGRESS, member.member_id)

    def disown(self, member: ConsumerMember) -> None:
        for partition in member.progress.assigned | member.progress.revoking:
            self.owners.pop(partition, None)

    def is_free_for(self, member: ConsumerMember, partition: TopicIdPartition) -> bool:
        """Nobody else owns it."""
        return self.owners.get(partition, member.member_id) == member.member_id

    def find(self, member_id: str, instance_id: str | None) -> ConsumerMember:
        """A member that must be there; raises GroupRefusedError: UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID."""
        if instance_id is not None:
            holder = self.static_ids.get(instance_id)
            if holder is None:
                raise GroupRefusedError(ErrorCode.unknown_member_id, f"Instance id {instance_id} is unknown.")
            if holder != member_id:
                raise GroupRefusedError(
                    ErrorCode.fenced_instance_id,
                    f"Static member {member_id} with instance id {instance_id} was fenced by member {holder}.",
                )
        member = self.members.get(member_id)
        if member is None:
            raise GroupRefusedError(
                ErrorCode.unknown_member_id, f"Member {member_id} is not a member of group {self.group_id}."
            )
        return member

    # -- records -----------------------------------------------------------------------------------------------------
    def mark(self, kind: int, member_id: str = "") -> None:
        """The record of that kind has to be written."""
        key = ConsumerGroupKey(self.group_id, kind, member_id)
        self.unsaved.pop(key, None)
        self.unsaved[key] = None

    def mark_again(self, keys: Iterable[ConsumerGroupKey]) -> None:
        """These records could not be written: they go with the next ones."""
        self.unsaved = {**dict.fromkeys(keys), **self.unsaved}

    def mark_all(self) -> None:
        """Every record has to be written: the group is new, or is to be gone."""
        self.mark(EPOCH)
        for member_id in self.members:
            for kind in (PROFILE, TARGET, PROGRESS):
                self.mark(kind, member_id)
        self.mark(TARGET_EPOCH)
