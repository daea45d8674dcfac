"""DescribeQuorum (key 55), versions 0-2 (KIP-595).

v1 when replicas were caught up (KIP-836) · v2 messages, listeners of the voters, directory ids (KIP-853).
One voter, this broker, which is always caught up. There is no metadata log: its offsets are told as 0.
"""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.server.context import RequestContext

METADATA_TOPIC = "__cluster_metadata"
NOT_HERE = "This server does not host this topic-partition."
EPOCH = 1
LISTENER = "CONTROLLER"


@api(ApiKey.DESCRIBE_QUORUM, 0, 2)
def handle(ctx: RequestContext, request: Any) -> Any:
    broker = ctx.broker
    asked = [(topic.topic_name, line.partition_index) for topic in request.topics for line in topic.partitions]
    listener = {"name": LISTENER, "host": ctx.endpoint.host, "port": ctx.endpoint.port}
    return response(
        request,
        error_code=ErrorCode.none,
        error_message="",
        topics=[{"topic_name": name, "partitions": [described(ctx, name, partition)]} for name, partition in asked],
        nodes=[{"node_id": broker.node_id, "listeners": [listener]}] if (METADATA_TOPIC, 0) in asked else [],
    )


def described(ctx: RequestContext, topic: str, partition: int) -> dict[str, Any]:
    if (topic, partition) != (METADATA_TOPIC, 0):
        return {
            "partition_index": partition,
            "error_code": ErrorCode.unknown_topic_or_partition,
            "error_message": NOT_HERE,
            "leader_id": 0,
            "leader_epoch": 0,
            "high_watermark": 0,
            "current_voters": (),
            "observers": (),
        }
    now_ms = ctx.broker.clock()
    voter = {
        "replica_id": ctx.broker.node_id,
        "replica_directory_id": None,
        "log_end_offset": 0,
        "last_fetch_timestamp": now_ms,
        "last_caught_up_timestamp": now_ms,
    }
    return {
        "partition_index": partition,
        "error_code": ErrorCode.none,
        "error_message": "",
        "leader_id": ctx.broker.node_id,
        "leader_epoch": EPOCH,
        "high_watermark": 0,
        "current_voters": [voter],
        "observers": (),
    }
