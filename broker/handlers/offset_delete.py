"""OffsetDelete (key 47), version 0 (KIP-496).

Offsets of topics that live members still read are refused with GROUP_SUBSCRIBED_TO_TOPIC, one by one; a live group
whose subscriptions the broker cannot read is refused as a whole (NON_EMPTY_GROUP).
"""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.security.operation import AclOperation
from broker.security.resource import ResourceType
from broker.server.context import RequestContext


@api(ApiKey.OFFSET_DELETE, 0, 0)
async def handle(ctx: RequestContext, request: Any) -> Any:
    coordinator = ctx.broker.groups
    if coordinator.type_of(request.group_id) is None:
        return response(request, error_code=ErrorCode.group_id_not_found, topics=[])
    in_use = coordinator.topics_in_use(request.group_id)
    if in_use is None:
        return response(request, error_code=ErrorCode.non_empty_group, topics=[])
    codes = {topic.name: refuse(ctx, topic.name, in_use) for topic in request.topics}
    gone = [
        (topic.name, line.partition_index)
        for topic in request.topics
        if codes[topic.name] is ErrorCode.none
        for line in topic.partitions
    ]
    outcome = await coordinator.delete_offsets(request.group_id, gone)
    return response(
        request,
        error_code=ErrorCode.none,
        topics=[
            {
                "name": topic.name,
                "partitions": [
                    {"partition_index": line.partition_index, "error_code": codes[topic.name] or outcome}
                    for line in topic.partitions
                ],
            }
            for topic in request.topics
        ],
    )


def refuse(ctx: RequestContext, topic: str, in_use: frozenset[str]) -> ErrorCode:
    """Why offsets of a topic stay, or none."""
    if not ctx.may(AclOperation.READ, ResourceType.TOPIC, topic):
        return ErrorCode.topic_authorization_failed
    return ErrorCode.group_subscribed_to_topic if topic in in_use else ErrorCode.none
