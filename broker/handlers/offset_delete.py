"""OffsetDelete (key 47), version 0 (KIP-496).

Offsets of topics that live members still read are refused with GROUP_SUBSCRIBED_TO_TOPIC, one by one; a live group
whose subscriptions the broker cannot read is refused as a whole (NON_EMPTY_GROUP). Topics that are there and are named
without partitions are not in the answer.
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
    codes = {
        (topic.name, line.partition_index): refuse(ctx, topic.name, line.partition_index, in_use)
        for topic in request.topics
        for line in topic.partitions
    }
    gone = [partition for partition, code in codes.items() if code is ErrorCode.none]
    outcome = await coordinator.delete_offsets(request.group_id, gone)
    return response(
        request,
        error_code=ErrorCode.none,
        topics=[
            {
                "name": topic.name,
                "partitions": [
                    {
                        "partition_index": line.partition_index,
                        "error_code": codes[topic.name, line.partition_index] or outcome,
                    }
                    for line in topic.partitions
                ],
            }
            for topic in request.topics
            if topic.partitions or not is_known(ctx, topic.name)
        ],
    )


def is_known(ctx: RequestContext, topic: str) -> bool:
    return ctx.may(AclOperation.READ, ResourceType.TOPIC, topic) and ctx.broker.topics.get(topic) is not None


def refuse(ctx: RequestContext, topic: str, partition: int, in_use: frozenset[str]) -> ErrorCode:
    """Why the offset of a partition stays, or none."""
    if not ctx.may(AclOperation.READ, ResourceType.TOPIC, topic):
        return ErrorCode.topic_authorization_failed
    if ctx.broker.logs.get(topic, partition) is None:
        return ErrorCode.unknown_topic_or_partition
    return ErrorCode.group_subscribed_to_topic if topic in in_use else ErrorCode.none
