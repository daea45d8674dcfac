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
from broker.server.context import RequestContext


@api(ApiKey.OFFSET_DELETE, 0, 0)
async def handle(ctx: RequestContext, request: Any) -> Any:
    coordinator = ctx.broker.groups
    if coordinator.type_of(request.group_id) is None:
        return response(request, error_code=ErrorCode.group_id_not_found, topics=[])
    in_use = coordinator.topics_in_use(request.group_id)
    if in_use is None:
        return response(request, error_code=ErrorCode.non_empty_group, topics=[])
    gone = [(t.name, p.partition_index) for t in request.topics if t.name not in in_use for p in t.partitions]
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
                        "error_code": ErrorCode.group_subscribed_to_topic if topic.name in in_use else outcome,
                    }
                    for line in topic.partitions
                ],
            }
            for topic in request.topics
        ],
    )
