"""ElectLeaders (key 43), versions 0-2.

v1 election type (KIP-460), error for the whole request · v2 flexible.
Each partition has its one leader already: ELECTION_NOT_NEEDED. Asked for all partitions, Kafka names only those where
something was done: none.
"""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.server.context import RequestContext

PREFERRED, UNCLEAN = 0, 1


@api(ApiKey.ELECT_LEADERS, 0, 2)
def handle(ctx: RequestContext, request: Any) -> Any:
    kind = request.election_type if ctx.version >= 1 else PREFERRED
    known = kind in (PREFERRED, UNCLEAN)
    asked = request.topic_partitions
    if asked is None:
        results = [{"topic": topic.name, "partition_result": ()} for topic in ctx.broker.topics] if known else []
    else:
        results = [
            {
                "topic": line.topic,
                "partition_result": [result(ctx, kind, line.topic, partition) for partition in line.partitions],
            }
            for line in asked
        ]
    return response(
        request,
        error_code=ErrorCode.none if known else ErrorCode.invalid_request,
        replica_election_results=results,
    )


def result(ctx: RequestContext, kind: int, topic: str, partition: int) -> dict[str, Any]:
    if kind not in (PREFERRED, UNCLEAN):
        code, message = ErrorCode.invalid_request, f"Unknown election type {kind}"
    elif ctx.broker.topics.get(topic) is None:
        code, message = ErrorCode.unknown_topic_or_partition, f"No such topic as {topic}"
    elif ctx.broker.logs.get(topic, partition) is None:
        code, message = ErrorCode.unknown_topic_or_partition, f"No such partition as {topic}-{partition}"
    else:
        code, message = ErrorCode.election_not_needed, "Leader election not needed for topic partition."
    return {"partition_id": partition, "error_code": code, "error_message": message}
