"""CreateTopics (key 19), versions 2-7.

v4 partition count -1 and replication factor -1 take the defaults (KIP-464) · v5 flexible; the answer tells partitions,
replication factor and configs (KIP-525) · v6 quotas · v7 topic ids.
Any replication factor is accepted and stored once, unless the broker is told to be strict (INVALID_REPLICATION_FACTOR);
a manual assignment can only name this broker.
Topics named twice in a request are refused, each of them once. Those who may create a topic but not describe its
configs are not told the partitions, replication factor and configs it got.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.security.operation import AclOperation
from broker.security.resource import CLUSTER_NAME, ResourceType
from broker.server.context import RequestContext
from broker.topics.assignment import check_replicas
from broker.topics.errors import TopicError
from broker.topics.topic import Topic

DEFAULT = -1


@api(ApiKey.CREATE_TOPICS, 2, 7)
def handle(ctx: RequestContext, request: Any) -> Any:
    times_named = Counter(line.name for line in request.topics)
    lines = {line.name: line for line in request.topics}
    anything = ctx.may(AclOperation.CREATE, ResourceType.CLUSTER, CLUSTER_NAME, audited=False)
    topics: list[dict[str, Any]] = []
    for name, line in lines.items():
        try:
            if times_named[name] > 1:
                raise TopicError(ErrorCode.invalid_request, f"Topic {name!r} is named more than once in the request.")
            if not anything and not ctx.may(AclOperation.CREATE, ResourceType.TOPIC, name):
                raise TopicError(ErrorCode.topic_authorization_failed, "Authorization failed.")
            topic = ctx.broker.create_topic(
                name, partition_count(ctx, line), overrides(line), validate_only=request.validate_only
            )
        except TopicError as error:
            topics.append(refused(name, error))
        else:
            topics.append(created(ctx, topic))
    return response(request, topics=topics)


def created(ctx: RequestContext, topic: Topic) -> dict[str, Any]:
    from broker.handlers.config_entries import topic_entries  # not needed at the broker's start

    answer: dict[str, Any] = {
        "name": topic.name,
        "topic_id": topic.id,
        "error_code": ErrorCode.none,
        "error_message": None,
    }
    if not ctx.may(AclOperation.DESCRIBE_CONFIGS, ResourceType.TOPIC, topic.name, audited=False):
        return answer | {"topic_config_error_code": ErrorCode.topic_authorization_failed.value, "configs": []}
    return answer | {
        "num_partitions": topic.partitions,
        "replication_factor": 1,
        "configs": topic_entries(topic, ctx.broker.configs),
    }


def refused(name: str, error: TopicError) -> dict[str, Any]:
    return {
        "name": name,
        "topic_id": None,
        "error_code": error.code,
        "error_message": error.message,
        "configs": [],
    }


def partition_count(ctx: RequestContext, line: Any) -> int:
    """How many partitions are asked for; raises TopicError where the request contradicts itself."""
    factor, count = line.replication_factor, line.num_partitions
    if line.assignments:
        if factor != DEFAULT or count != DEFAULT:
            raise TopicError(
                ErrorCode.invalid_request,
                "Give either an assignment or a partition count and replication factor, not both.",
            )
        if sorted(entry.partition_index for entry in line.assignments) != list(range(len(line.assignments))):
            raise TopicError(ErrorCode.invalid_replica_assignment, "Assigned partitions must be 0, 1, 2, … once each.")
        for entry in line.assignments:
            check_replicas(entry.broker_ids, ctx.broker.node_id)
        return len(line.assignments)
    if factor == 0 or factor < DEFAULT:
        raise TopicError(
            ErrorCode.invalid_replication_factor, f"Replication factor must be above 0 or -1 (default), not {factor}."
        )
    if factor > 1 and ctx.broker.options.strict_replication:
        raise TopicError(
            ErrorCode.invalid_replication_factor,
            f"Unable to replicate the partition {factor} time(s): there is one broker, and it is told to be strict.",
        )
    if count == 0 or count < DEFAULT:
        raise TopicError(
            ErrorCode.invalid_partitions, f"Number of partitions must be above 0 or -1 (default), not {count}."
        )
    return count


def overrides(line: Any) -> dict[str, str]:
    """The configs asked for; null is no value of any."""
    for entry in line.configs:
        if entry.value is None:
            raise TopicError(ErrorCode.invalid_config, f"Config {entry.name} has no value.")
    return {entry.name: entry.value for entry in line.configs}
