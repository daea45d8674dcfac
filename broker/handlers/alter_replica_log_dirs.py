"""AlterReplicaLogDirs (key 34), versions 1-2 (KIP-113).

v2 flexible. There is one log directory: what is to move there is there already, any other is LOG_DIR_NOT_FOUND.
"""

from __future__ import annotations

import os.path
from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.server.context import RequestContext


@api(ApiKey.ALTER_REPLICA_LOG_DIRS, 1, 2)
def handle(ctx: RequestContext, request: Any) -> Any:
    return response(
        request,
        results=[
            {
                "topic_name": topic.name,
                "partitions": [
                    {"partition_index": partition, "error_code": move(ctx, line.path, topic.name, partition)}
                    for partition in topic.partitions
                ],
            }
            for line in request.dirs
            for topic in line.topics
        ],
    )


def move(ctx: RequestContext, path: str, topic: str, partition: int) -> ErrorCode:
    if os.path.abspath(path) != os.path.abspath(ctx.broker.logs.path):
        return ErrorCode.log_dir_not_found
    known = ctx.broker.logs.get(topic, partition) is not None
    return ErrorCode.none if known else ErrorCode.unknown_topic_or_partition
