"""DescribeTopicPartitions (key 75), version 0 (KIP-966).

As Metadata, in pages: topics in order of name, no more partitions than the client and the broker allow, and a cursor to
the partition that the next page begins with, of one of the topics asked for. No topic is created. No topics at all
means all of them. There is one replica, so nobody but it is eligible as a leader. Topics that one may not describe are
left out where all are asked for; asked for by name, they come last and look like those that do not exist.

Source: `DescribeTopicPartitionsRequestHandler`, `KRaftMetadataCache.describeTopicResponse` of Apache Kafka.
"""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.authorized_operations import authorized_operations
from broker.handlers.metadata import describe, missing
from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.security.operation import AclOperation
from broker.security.resource import ResourceType
from broker.server.context import RequestContext
from broker.topics.names import problem_with_name

MAX_PARTITIONS = 2_000
"""`max.request.partition.size.limit`."""


@api(ApiKey.DESCRIBE_TOPIC_PARTITIONS, 0, 0)
def handle(ctx: RequestContext, request: Any) -> Any:
    names = sorted({topic.name for topic in request.topics})
    cursor = request.cursor
    if cursor is not None and (cursor.partition_index < 0 or (names and cursor.topic_name not in names)):
        return response(request, topics=[missing(ErrorCode.invalid_request, name, None) for name in names])
    asked_for_all = not names
    if asked_for_all:
        names = [topic.name for topic in ctx.broker.topics]
    first, start = ("", 0) if cursor is None else (cursor.topic_name, cursor.partition_index)
    names = [name for name in names if name >= first]
    shown = [
        name for name in names if ctx.may(AclOperation.DESCRIBE, ResourceType.TOPIC, name, audited=not asked_for_all)
    ]
    left = max(1, min(MAX_PARTITIONS, request.response_partition_limit))
    topics: list[dict[str, Any]] = []
    following: dict[str, Any] | None = None
    for name in shown:
        if not left:
            following = {"topic_name": name, "partition_index": 0}
            break
        topic = ctx.broker.topics.get(name)
        if topic is None:
            code = (
                ErrorCode.invalid_topic_exception if problem_with_name(name) else ErrorCode.unknown_topic_or_partition
            )
            topics.append(missing(code, name, None))
            continue
        begin = start if name == first else 0
        partitions = range(begin, min(begin + left, topic.partitions))
        topics.append(describe(ctx, topic, partitions))
        left -= len(partitions)
        if partitions and partitions.stop < topic.partitions:
            following = {"topic_name": name, "partition_index": partitions.stop}
            break
    for line in topics:
        for partition in line["partitions"]:
            partition |= {"eligible_leader_replicas": (), "last_known_elr": ()}
        line["topic_authorized_operations"] = authorized_operations(ctx, ResourceType.TOPIC, line["name"])
    if not asked_for_all:
        hidden = [name for name in names if name not in set(shown)]
        topics += [missing(ErrorCode.topic_authorization_failed, name, None) for name in hidden]
    return response(request, topics=topics, next_cursor=following)
