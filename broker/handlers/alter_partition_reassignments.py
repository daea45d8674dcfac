"""AlterPartitionReassignments (key 45), versions 0-1 (KIP-455).

v1 the client may forbid a change of the replication factor (KIP-860; there is none here).
A partition can only be assigned to this broker, where it is already: done at once. To cancel is
NO_REASSIGNMENT_IN_PROGRESS.
"""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.server.context import RequestContext
from broker.topics.assignment import check_replicas
from broker.topics.errors import TopicError


@api(ApiKey.ALTER_PARTITION_REASSIGNMENTS, 0, 1)
def handle(ctx: RequestContext, request: Any) -> Any:
    return response(
        request,
        allow_replication_factor_change=getattr(request, "allow_replication_factor_change", True),
        error_code=ErrorCode.none,
        error_message=None,
        responses=[
            {"name": topic.name, "partitions": [reassign(ctx, topic.name, line) for line in topic.partitions]}
            for topic in request.topics
        ],
    )


def reassign(ctx: RequestContext, topic: str, line: Any) -> dict[str, Any]:
    code, message = ErrorCode.none, None
    try:
        if ctx.broker.topics.get(topic) is None:
            raise TopicError(ErrorCode.unknown_topic_or_partition, f"Unable to find a topic named {topic}.")
        if ctx.broker.logs.get(topic, line.partition_index) is None:
            raise TopicError(
                ErrorCode.unknown_topic_or_partition, f"Unable to find partition {topic}:{line.partition_index}."
            )
        if line.replicas is None:
            code = ErrorCode.no_reassignment_in_progress
        else:
            check_replicas(line.replicas, ctx.broker.node_id)
    except TopicError as refusal:
        code, message = refusal.code, refusal.message
    return {"partition_index": line.partition_index, "error_code": code, "error_message": message}
