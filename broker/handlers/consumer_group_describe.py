"""ConsumerGroupDescribe (key 69), versions 0-1 (KIP-848).

v1 which protocol a member speaks (KIP-1099). A group of the classic kind is not found here, as a consumer group is not
by DescribeGroups.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kio.schema.errors import ErrorCode

from broker.consumer_groups.partitions import Partitions, by_topic
from broker.handlers.describe_groups import ALL_GROUP_OPERATIONS, NOT_ASKED
from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.server.context import RequestContext

if TYPE_CHECKING:
    from broker.consumer_groups.description import ConsumerMemberDescription

CLASSIC_MEMBER, CONSUMER_MEMBER = 0, 1


@api(ApiKey.CONSUMER_GROUP_DESCRIBE, 0, 1)
def handle(ctx: RequestContext, request: Any) -> Any:
    operations = ALL_GROUP_OPERATIONS if request.include_authorized_operations else NOT_ASKED
    return response(request, groups=[describe(ctx, group_id, operations) for group_id in request.group_ids])


def describe(ctx: RequestContext, group_id: str, operations: int) -> dict[str, Any]:
    group = ctx.broker.groups.describe_consumer(group_id)
    if group is None:
        there = ctx.broker.groups.type_of(group_id) is not None
        return {
            "error_code": ErrorCode.group_id_not_found,
            "error_message": f"Group {group_id} {'is not a consumer group' if there else 'not found'}.",
            "group_id": group_id,
            "group_state": "",
            "group_epoch": 0,
            "assignment_epoch": 0,
            "assignor_name": "",
            "members": [],
            "authorized_operations": NOT_ASKED,
        }
    return {
        "error_code": ErrorCode.none,
        "error_message": None,
        "group_id": group_id,
        "group_state": group.state,
        "group_epoch": group.epoch,
        "assignment_epoch": group.target_epoch,
        "assignor_name": group.assignor,
        "members": [describe_member(ctx, member) for member in group.members],
        "authorized_operations": operations,
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
        "subscribed_topic_regex": profile.regex or None,
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
