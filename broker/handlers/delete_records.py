"""DeleteRecords (key 21), versions 0-2.

v2 flexible. Offset -1 means the high watermark. The log then starts at the offset; segments wholly below it are removed
at once. Kafka Streams purges its repartition topics this way.
"""

from __future__ import annotations

import logging
from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.security.operation import AclOperation
from broker.security.resource import ResourceType
from broker.server.context import RequestContext

LOG = logging.getLogger("broker.log")
HIGH_WATERMARK = -1


@api(ApiKey.DELETE_RECORDS, 0, 2)
def handle(ctx: RequestContext, request: Any) -> Any:
    return response(
        request,
        topics=[
            {"name": topic.name, "partitions": [delete(ctx, topic.name, line) for line in topic.partitions]}
            for topic in request.topics
        ],
    )


def delete(ctx: RequestContext, topic: str, line: Any) -> dict[str, Any]:
    """Deletes what lies before the offset; answers where the log starts now."""
    answer: dict[str, Any] = {"partition_index": line.partition_index, "low_watermark": -1}
    if not ctx.may(AclOperation.DELETE, ResourceType.TOPIC, topic):
        return answer | {"error_code": ErrorCode.topic_authorization_failed}
    log = ctx.broker.logs.get(topic, line.partition_index)
    if log is None:
        return answer | {"error_code": ErrorCode.unknown_topic_or_partition}
    if log.internal:
        return answer | {"error_code": ErrorCode.invalid_topic_exception}
    if not log.config.deleted:
        return answer | {"error_code": ErrorCode.policy_violation}  # what is compacted is not cut off
    offset = log.high_watermark if line.offset == HIGH_WATERMARK else line.offset
    if not 0 <= offset <= log.high_watermark:
        return answer | {"error_code": ErrorCode.offset_out_of_range}
    try:
        log.delete_before(offset)
    except OSError as error:
        LOG.error("%s: cannot delete records: %s", log.name, error)
        return answer | {"error_code": ErrorCode.kafka_storage_error}
    return answer | {"error_code": ErrorCode.none, "low_watermark": log.start_offset}
