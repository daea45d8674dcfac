"""ListOffsets (key 2), versions 1-11.

v1 one offset per partition · v2 isolation level (read_committed: up to the last stable offset) · v4 leader epochs ·
v6 flexible · v7 max timestamp (-3) · v8 earliest local (-4) · v9 latest tiered (-5) ·
v10 timeout for remote reads, unused · v11 earliest pending upload (-6).
Nothing is tiered here, so -4 is -2; -5 and -6 name what does not exist.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.response import response
from broker.log.partition import PartitionLog
from broker.log.search import offset_for_timestamp, offset_of_max_timestamp
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.protocol.batches import CorruptBatchError
from broker.security.operation import AclOperation
from broker.security.resource import ResourceType
from broker.server.context import RequestContext

LATEST, EARLIEST, MAX_TIMESTAMP, EARLIEST_LOCAL = -1, -2, -3, -4
NAMED_FROM = {LATEST: 1, EARLIEST: 1, MAX_TIMESTAMP: 7, EARLIEST_LOCAL: 8, -5: 9, -6: 11}
"""From which version on a negative timestamp stands for an offset."""
NOT_FOUND = (-1, -1)
READ_COMMITTED = 1
UNKNOWN = 1 << 15
"""Above all versions."""


@api(ApiKey.LIST_OFFSETS, 1, 11)
def handle(ctx: RequestContext, request: Any) -> Any:
    committed = ctx.version >= 2 and request.isolation_level == READ_COMMITTED
    named = Counter((topic.name, line.partition_index) for topic in request.topics for line in topic.partitions)
    return response(
        request,
        topics=[
            {
                "name": topic.name,
                "partitions": [
                    refused(index)
                    if named[topic.name, index] > 1
                    else look_up(ctx, topic.name, line, committed=committed)
                    for index, line in {line.partition_index: line for line in topic.partitions}.items()
                ],
            }
            for topic in request.topics
        ],
    )


def refused(partition: int) -> dict[str, Any]:
    """The answer to a partition that is asked for twice."""
    return {"partition_index": partition, "error_code": ErrorCode.invalid_request}


def look_up(ctx: RequestContext, topic: str, line: Any, *, committed: bool = False) -> dict[str, Any]:
    """One partition's offset, timestamp and leader epoch, or an error."""
    answer: dict[str, Any] = {"partition_index": line.partition_index, "error_code": ErrorCode.none}
    if not ctx.may(AclOperation.DESCRIBE, ResourceType.TOPIC, topic):
        return answer | {"error_code": ErrorCode.topic_authorization_failed}
    log = ctx.broker.logs.get(topic, line.partition_index)
    if log is None:
        return answer | {"error_code": ErrorCode.unknown_topic_or_partition}
    if (error := log.check_epoch(getattr(line, "current_leader_epoch", -1))) is not ErrorCode.none:
        return answer | {"error_code": error}
    if line.timestamp < 0 and ctx.version < NAMED_FROM.get(line.timestamp, UNKNOWN):
        return answer | {"error_code": ErrorCode.unsupported_version}
    try:
        offset, timestamp = search(log, line.timestamp, log.stable.offset if committed else log.high_watermark)
    except CorruptBatchError as error:
        log.reader.report(error)
        return answer | {"error_code": ErrorCode.corrupt_message}
    except OSError:
        return answer | {"error_code": ErrorCode.kafka_storage_error}
    if offset < 0:
        return answer | {"offset": -1, "timestamp": -1, "leader_epoch": -1}
    return answer | {"offset": offset, "timestamp": timestamp, "leader_epoch": log.epochs.at(offset)}


def search(log: PartitionLog, timestamp: int, end: int) -> tuple[int, int]:
    """(offset, timestamp) for a timestamp or one of the negative names, below `end`; (-1, -1): there is none."""
    if timestamp == LATEST:
        return end, -1
    if timestamp in (EARLIEST, EARLIEST_LOCAL):
        return log.start_offset, -1
    if timestamp == MAX_TIMESTAMP:
        found = offset_of_max_timestamp(log)
    else:
        found = offset_for_timestamp(log, timestamp) if timestamp >= 0 else None
    return NOT_FOUND if found is None or found[0] >= end else found
