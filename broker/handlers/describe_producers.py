"""DescribeProducers (key 61), version 0: who wrote to a partition with a producer id, and what is open there."""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.response import response
from broker.log.partition import PartitionLog
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.security.operation import AclOperation
from broker.security.refusal import MESSAGES
from broker.security.resource import ResourceType
from broker.server.context import RequestContext


@api(ApiKey.DESCRIBE_PRODUCERS, 0, 0)
def handle(ctx: RequestContext, request: Any) -> Any:
    return response(
        request,
        topics=[
            {
                "name": topic.name,
                "partitions": [describe(ctx, topic.name, partition) for partition in topic.partition_indexes],
            }
            for topic in request.topics
        ],
    )


def describe(ctx: RequestContext, topic: str, partition: int) -> dict[str, Any]:
    if ctx.may(AclOperation.READ, ResourceType.TOPIC, topic):
        log = ctx.broker.logs.get(topic, partition)
        code, message = ErrorCode.unknown_topic_or_partition, "This server does not host this topic-partition."
    else:
        log, code = None, ErrorCode.topic_authorization_failed
        message = MESSAGES[code]
    return {
        "partition_index": partition,
        "error_code": ErrorCode.none if log else code,
        "error_message": None if log else message,
        "active_producers": producers(log) if log else (),
    }


def producers(log: PartitionLog) -> list[dict[str, Any]]:
    states = log.producers
    return [
        {
            "producer_id": producer_id,
            "producer_epoch": producer.epoch,
            "last_sequence": producer.batches[-1][1] if producer.batches else -1,
            "last_timestamp": producer.last_timestamp,
            "coordinator_epoch": producer.coordinator_epoch,
            "current_txn_start_offset": states.open[producer_id].first_offset if producer_id in states.open else -1,
        }
        for producer_id, producer in states.producers.items()
    ]
