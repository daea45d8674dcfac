"""DescribeLogDirs (key 35), versions 1-4.

v2 flexible · v3 error for the whole request · v4 sizes of the volume (KIP-827).
There is one log directory. Partitions that are not here are left out, as in Kafka.
"""

from __future__ import annotations

import shutil
from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.server.context import RequestContext

UNKNOWN = -1


@api(ApiKey.DESCRIBE_LOG_DIRS, 1, 4)
def handle(ctx: RequestContext, request: Any) -> Any:
    directory = ctx.broker.logs.path
    code, total, usable = ErrorCode.none, UNKNOWN, UNKNOWN
    try:
        volume = shutil.disk_usage(directory)
        total, usable = volume.total, volume.free
    except OSError:
        code = ErrorCode.kafka_storage_error
    here = {
        "error_code": code,
        "log_dir": str(directory.absolute()),
        "topics": [
            {"name": topic, "partitions": [described(ctx, topic, partition) for partition in partitions]}
            for topic, partitions in asked(ctx, request.topics).items()
        ],
        "total_bytes": total,
        "usable_bytes": usable,
    }
    return response(request, error_code=ErrorCode.none, results=[here])


def asked(ctx: RequestContext, topics: Any) -> dict[str, list[int]]:
    """The partitions of the request that are here, by topic; None asks for all."""
    if topics is None:
        return {topic.name: list(range(topic.partitions)) for topic in ctx.broker.topics}
    found: dict[str, list[int]] = {}
    for line in topics:
        for partition in line.partitions:
            if ctx.broker.logs.get(line.topic, partition) is not None:
                found.setdefault(line.topic, []).append(partition)
    return found


def described(ctx: RequestContext, topic: str, partition: int) -> dict[str, Any]:
    log = ctx.broker.logs.get(topic, partition)
    size = 0 if log is None else log.size
    return {"partition_index": partition, "partition_size": size, "offset_lag": 0, "is_future_key": False}
