"""OffsetForLeaderEpoch (key 23), versions 2-4.

v3 replica id · v4 flexible.
One node has had one leader epoch only, 0: it ends at the high watermark. Consumers ask to find out whether the log was
cut off behind them.
"""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.response import response
from broker.log.partition import LEADER_EPOCH
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.security.operation import AclOperation
from broker.security.resource import ResourceType
from broker.server.context import RequestContext


@api(ApiKey.OFFSET_FOR_LEADER_EPOCH, 2, 4)
def handle(ctx: RequestContext, request: Any) -> Any:
    return response(
        request,
        topics=[
            {"topic": topic.topic, "partitions": [look_up(ctx, topic.topic, line) for line in topic.partitions]}
            for topic in request.topics
        ],
    )


def look_up(ctx: RequestContext, topic: str, line: Any) -> dict[str, Any]:
    answer: dict[str, Any] = {"partition": line.partition, "error_code": ErrorCode.none}
    if not ctx.may(AclOperation.DESCRIBE, ResourceType.TOPIC, topic):
        return answer | {"error_code": ErrorCode.topic_authorization_failed}
    log = ctx.broker.logs.get(topic, line.partition)
    if log is None:
        return answer | {"error_code": ErrorCode.unknown_topic_or_partition}
    if line.current_leader_epoch > LEADER_EPOCH:
        return answer | {"error_code": ErrorCode.unknown_leader_epoch}
    if line.leader_epoch != LEADER_EPOCH:
        return answer  # an epoch that never was: undefined epoch and offset, -1
    return answer | {"leader_epoch": LEADER_EPOCH, "end_offset": log.high_watermark}
