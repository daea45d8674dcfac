"""OffsetForLeaderEpoch (key 23), versions 2-4.

v3 replica id · v4 flexible.
Consumers ask to find out whether the log was cut off behind them (KIP-320): the epoch of the last record they have seen
ends where the next one begins, and the present one at the high watermark.
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
    if (error := log.check_epoch(line.current_leader_epoch)) is not ErrorCode.none:
        return answer | {"error_code": error}
    epoch, end_offset = log.epochs.end_of(line.leader_epoch, log.high_watermark)
    return answer | {"leader_epoch": epoch, "end_offset": end_offset}
