"""Metadata (key 3), versions 0-13.

v0 an empty list means all topics, from v1 null does · v1 controller, internal topics, rack · v2 cluster id ·
v4 the client says whether topics may be created · v7 leader epochs · v8 authorized operations (KIP-430; v8-v10 of the
cluster too) · v9 flexible · v10 topic ids · v12 topics may be asked for by id · v13 a top-level error.
Topics are created before the answer, so it never says LEADER_NOT_AVAILABLE. Topics that one may not describe are left
out where all are asked for; asked for by name, those that exist look like those that do not.
"""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.authorized_operations import NOT_ASKED, authorized_operations, cluster_operations
from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.security.operation import AclOperation
from broker.security.resource import CLUSTER_NAME, ResourceType
from broker.server.context import RequestContext
from broker.topics.errors import TopicError
from broker.topics.names import INTERNAL
from broker.topics.topic import Topic

IDS_FROM = 12


@api(ApiKey.METADATA, 0, 13)
def handle(ctx: RequestContext, request: Any) -> Any:
    broker = ctx.broker
    asked = None if request.topics is None else list(dict.fromkeys(request.topics))
    if asked is None or (ctx.version == 0 and not asked):
        topics = [
            describe(ctx, topic)
            for topic in broker.topics
            if ctx.may(AclOperation.DESCRIBE, ResourceType.TOPIC, topic.name, audited=False)
        ]
    else:
        may_create = broker.options.auto_create_topics and getattr(request, "allow_auto_topic_creation", True)
        lines = {(line.name, getattr(line, "topic_id", None)): line for line in asked}  # each is told once
        topics = [find(ctx, line, may_create) for line in lines.values()]
    if ctx.version >= 8 and request.include_topic_authorized_operations:
        tell_operations(ctx, topics)
    asks_of_cluster: bool = getattr(request, "include_cluster_authorized_operations", False)
    return response(
        request,
        error_code=ErrorCode.none,
        cluster_authorized_operations=cluster_operations(ctx) if asks_of_cluster else NOT_ASKED,
        brokers=[
            {
                "node_id": broker.node_id,
                "host": ctx.endpoint.host,
                "port": ctx.endpoint.port,
                "rack": None,
            }
        ],
        cluster_id=broker.cluster_id,
        controller_id=broker.node_id,
        topics=topics,
    )


def find(ctx: RequestContext, line: Any, may_create: bool) -> dict[str, Any]:
    """One topic that was asked for, made if it may be."""
    topic_id = getattr(line, "topic_id", None)
    if ctx.version < IDS_FROM and (line.name is None or topic_id is not None):
        return missing(ErrorCode.invalid_request, line.name or "", None)
    if line.name is None or topic_id is not None:  # as in Kafka, an id counts for more than a name
        topic = None if topic_id is None else ctx.broker.topics.by_id(topic_id)
        if topic is None:
            return missing(ErrorCode.unknown_topic_id, None, topic_id)
        if not ctx.may(AclOperation.DESCRIBE, ResourceType.TOPIC, topic.name):
            return missing(ErrorCode.topic_authorization_failed, None, topic_id)
        return describe(ctx, topic)
    if not ctx.may(AclOperation.DESCRIBE, ResourceType.TOPIC, line.name):
        return missing(ErrorCode.topic_authorization_failed, line.name, None)
    topic = ctx.broker.topics.get(line.name)
    if topic is not None:
        return describe(ctx, topic)
    if may_create and not creatable(ctx, line.name):
        return missing(ErrorCode.topic_authorization_failed, line.name, None)
    may_create = may_create and line.name not in INTERNAL
    try:
        # Without leave to create, a bad name is still told apart from a missing topic.
        topic = ctx.broker.create_topic(line.name, validate_only=not may_create)
    except TopicError as error:
        return missing(error.code, line.name, None)
    return describe(ctx, topic) if may_create else missing(ErrorCode.unknown_topic_or_partition, line.name, None)


def creatable(ctx: RequestContext, name: str) -> bool:
    return ctx.may(AclOperation.CREATE, ResourceType.CLUSTER, CLUSTER_NAME, audited=False) or ctx.may(
        AclOperation.CREATE, ResourceType.TOPIC, name
    )


def tell_operations(ctx: RequestContext, topics: list[dict[str, Any]]) -> None:
    """Adds what may be done with each topic that is not hidden."""
    for topic in topics:
        if topic["name"] is not None and topic["error_code"] is not ErrorCode.topic_authorization_failed:
            operations = authorized_operations(ctx, ResourceType.TOPIC, topic["name"])
            topic["topic_authorized_operations"] = operations


def describe(ctx: RequestContext, topic: Topic, partitions: range | None = None) -> dict[str, Any]:
    """A topic with all its partitions, or those that are asked for."""
    node = (ctx.broker.node_id,)
    return {
        "error_code": ErrorCode.none,
        "name": topic.name,
        "topic_id": topic.id,
        "is_internal": topic.internal,
        "partitions": [
            {
                "error_code": ErrorCode.none,
                "partition_index": partition,
                "leader_id": ctx.broker.node_id,
                "leader_epoch": ctx.broker.leader_epoch.value,
                "replica_nodes": node,
                "isr_nodes": node,
                "offline_replicas": (),
            }
            for partition in (range(topic.partitions) if partitions is None else partitions)
        ],
    }


def missing(code: ErrorCode, name: str | None, topic_id: Any) -> dict[str, Any]:
    return {"error_code": code, "name": name, "topic_id": topic_id, "is_internal": False, "partitions": ()}
