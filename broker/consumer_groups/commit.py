"""Whose offset commits and fetches a consumer group lets pass.

Source: `ConsumerGroup.validateOffsetCommit` and `validateOffsetFetch` of Apache Kafka.
"""

from __future__ import annotations

from kio.schema.errors import ErrorCode

from broker.consumer_groups.group import ConsumerGroup
from broker.groups.requests import MemberIdentity

EPOCHS_FROM = 9
"""The version of OffsetCommit that knows member epochs."""


def check_commit(
    group: ConsumerGroup, who: MemberIdentity, epoch: int, *, version: int, transactional: bool
) -> ErrorCode:
    """A negative epoch is a commit from outside; it passes while the group has no members, and in a transaction of a
    producer that does not say for whom it commits."""
    if epoch < 0 and not group.members:
        return ErrorCode.none
    if transactional and epoch < 0 and not who.member_id and who.instance_id is None:
        return ErrorCode.none
    member = group.members.get(who.member_id)
    if member is None:
        return ErrorCode.unknown_member_id
    classic = member.profile.classic is not None
    if not transactional and not classic and version < EPOCHS_FROM:
        return ErrorCode.unsupported_version
    if epoch == member.progress.epoch:
        return ErrorCode.none
    # Transactional producers and classic members do not know the newer code.
    return ErrorCode.illegal_generation if transactional or classic else ErrorCode.stale_member_epoch


def check_fetch(group: ConsumerGroup, member_id: str | None, epoch: int) -> ErrorCode:
    """Who does not say who it is may fetch."""
    if member_id is None and epoch < 0:
        return ErrorCode.none
    member = group.members.get(member_id or "")
    if member is None:
        return ErrorCode.unknown_member_id
    if epoch == member.progress.epoch:
        return ErrorCode.none
    return ErrorCode.illegal_generation if member.profile.classic is not None else ErrorCode.stale_member_epoch
