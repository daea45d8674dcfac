"""ConsumerGroupDescribe (key 69), versions 0-1 (KIP-848).

v1 which protocol a member speaks (KIP-1099). A group of the classic kind is not found here, as a consumer group is not
by DescribeGroups. Nor is a group shown whose members read topics that one may not describe. With the feature
`group.version` at 0 none is described (UNSUPPORTED_VERSION).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kio.schema.errors import ErrorCode

from broker.consumer_groups.partitions import Partitions, by_topic
from broker.handlers.authorized_operations import NOT_ASKED, authorized_operations
from broker.handlers.denied_topics import denied_topics
from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.security.operation import AclOperation
from broker.security.refusal import MESSAGES
from broker.security.resource import ResourceType
from broker.server.context import RequestContext

if TYPE_CHECKING:
    from broker.consumer_groups.description import ConsumerMemberDescription

CLASSIC_MEMBER, CONSUMER_MEMBER = 0, 1
NOT_STORED = "The group's state could not be stored."
HIDDEN_TOPICS = "The group has described topic(s) that the client is not authorized to describe."


@api(ApiKey.CONSUMER_GROUP_DESCRIBE, 0, 1)
async def handle(ctx: RequestContext, request: Any) -> Any:
    """Answers when what it tells is durable: nobody is shown an epoch that a crash takes back."""
    if not ctx.broker.features.level("group.version"):
        off = [undescribed(group_id, ErrorCode.unsupported_version, None) for group_id in request.group_ids]
        return response(request, groups=off)
    wants_operations = request.include_authorized_operations
    groups = [describe(ctx, group_id, wants_operations) for group_id in request.group_ids]
    for number, group_id in enumerate(request.group_ids):
        if not await ctx.broker.groups.is_stored(group_id):
            groups[number] = undescribed(group_id, ErrorCode.coordinator_not_available, NOT_STORED)
    return response(request, groups=groups)


def describe(ctx: RequestContext, group_id: str, wants_operations: bool) -> dict[str, Any]:
    if not group_id:
        return undescribed(group_id, ErrorCode.invalid_group_id, None)
    if not ctx.may(AclOperation.DESCRIBE, ResourceType.GROUP, group_id):
        code = ErrorCode.group_authorization_failed
        return undescribed(group_id, code, MESSAGES[code])
    group = ctx.broker.groups.describe_consumer(group_id)
    if group is None:
        there = ctx.broker.groups.type_of(group_id) is not None
        why = "is not a consumer group" if there else "not found"
        return undescribed(group_id, ErrorCode.group_id_not_found, f"Group {group_id} {why}.")
    members = [describe_member(ctx, member) for member in group.members]
    if ctx.broker.authorizer is not None and denied_topics(ctx, AclOperation.DESCRIBE, topics_of(members)):
        return undescribed(group_id, ErrorCode.topic_authorization_failed, HIDDEN_TOPICS)
    return {
        "error_code": ErrorCode.none,
        "error_message": None,
        "group_id": group_id,
        "group_state": group.state,
        "group_epoch": group.epoch,
        "assignment_epoch": group.target_epoch,
        "assignor_name": group.assignor,
        "members": members,
        "authorized_operations": (
            authorized_operations(ctx, ResourceType.GROUP, group_id) if wants_operations else NOT_ASKED
        ),
    }


def undescribed(group_id: str, code: ErrorCode, message: str | None) -> dict[str, Any]:
    return {
        "error_code": code,
        "error_message": message,
        "group_id": group_id,
        "group_state": "",
        "group_epoch": 0,
        "assignment_epoch": 0,
        "assignor_name": "",
        "members": [],
        "authorized_operations": NOT_ASKED,
    }


def topics_of(members: Sequence[Mapping[str, Any]]) -> set[str]:
    """Names of the topics that members read or are to read."""
    return {
        line["topic_name"]
        for member in members
        for assignment in ("assignment", "target_assignment")
        for line in member[assignment]["topic_partitions"]
    }


def describe_member(ctx: RequestContext, member: ConsumerMemberDescription) -> dict[str, Any]:
    profile = member.profile
    return {
        "member_id": member.member_id,
        "instance_id": profile.instance_id,
        "rack_id": profile.rack_id,
        "member_epoch": member.member_epoch,
        "client_id": profile.client_id,
        "client_host": profile.client_host,
        "subscribed_topic_names": tuple(sorted(profile.topics)),
        "subscribed_topic_regex": profile.regex or "",  # as Kafka, which says null of no member
        "assignment": {"topic_partitions": topic_lines(ctx, member.assigned)},
        "target_assignment": {"topic_partitions": topic_lines(ctx, member.target)},
        "member_type": CONSUMER_MEMBER if profile.classic is None else CLASSIC_MEMBER,
    }


def topic_lines(ctx: RequestContext, partitions: Partitions) -> list[dict[str, Any]]:
    """Partitions of topics that are still there, in order of the topics' ids."""
    return [
        {"topic_id": topic_id, "topic_name": topic.name, "partitions": tuple(found)}
        for topic_id, found in by_topic(partitions).items()
        if (topic := ctx.broker.topics.by_id(topic_id)) is not None
    ]
