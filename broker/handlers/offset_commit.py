"""OffsetCommit (key 8), versions 2-10.

v2-v4 the client's own retention · v3 throttling · v6 leader epochs (KIP-320) · v7 static members (KIP-345) ·
v8 flexible · v9 GROUP_ID_NOT_FOUND for a group that is not there, STALE_MEMBER_EPOCH (KIP-848) ·
v10 topic ids instead of names.
Offsets of a topic or partition that does not exist or must not be read are refused one by one; the rest is committed.
"""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from broker.groups.requests import MemberIdentity
from broker.handlers.response import milliseconds, response
from broker.offsets.committed_offset import CommittedOffset
from broker.offsets.store import TopicPartition
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.security.operation import AclOperation
from broker.security.resource import ResourceType
from broker.server.context import RequestContext


@api(ApiKey.OFFSET_COMMIT, 2, 10)
async def handle(ctx: RequestContext, request: Any) -> Any:
    coordinator = ctx.broker.groups
    refusal = refuse(ctx, request)
    limit = coordinator.settings.offset_metadata_max_bytes
    accepted: dict[TopicPartition, CommittedOffset] = {}
    topics: list[dict[str, Any]] = []
    for topic in request.topics:
        name, count, missing = locate(ctx, topic)
        lines: list[dict[str, Any]] = []
        for line in topic.partitions:
            code = refusal if missing is not ErrorCode.topic_authorization_failed else missing
            if code is ErrorCode.none and not 0 <= line.partition_index < count:
                code = missing
            if code is ErrorCode.none and len((line.committed_metadata or "").encode()) > limit:
                code = ErrorCode.offset_metadata_too_large
            if code is ErrorCode.none:
                accepted[name, line.partition_index] = to_commit(ctx, request, line)
            lines.append({"partition_index": line.partition_index, "error_code": code})
        topics.append({"name": name, "topic_id": getattr(topic, "topic_id", None), "partitions": lines})
    if accepted:
        outcome = await coordinator.commit(request.group_id, accepted)
        for line in (line for topic in topics for line in topic["partitions"]):
            line["error_code"] = line["error_code"] or outcome
    return response(request, topics=topics)


def refuse(ctx: RequestContext, request: Any) -> ErrorCode:
    """The code that refuses the whole request, or none."""
    who = MemberIdentity(request.member_id, request.group_instance_id if ctx.version >= 7 else None)
    generation = request.generation_id_or_member_epoch
    code = ctx.broker.groups.check_commit(request.group_id, who, generation, version=ctx.version)
    # Clients before v9 do not know the newer code here.
    return ErrorCode.illegal_generation if code is ErrorCode.group_id_not_found and ctx.version < 9 else code


def locate(ctx: RequestContext, line: Any) -> tuple[str, int, ErrorCode]:
    """Name and partition count (0: no such topic) of a topic line, and the error for partitions beyond that count."""
    if ctx.version >= 10:
        topic = ctx.broker.topics.by_id(line.topic_id)
        if topic is None:
            return "", 0, ErrorCode.unknown_topic_id
        if not ctx.may(AclOperation.READ, ResourceType.TOPIC, topic.name):
            return topic.name, 0, ErrorCode.topic_authorization_failed
        return topic.name, topic.partitions, ErrorCode.unknown_topic_or_partition
    if not ctx.may(AclOperation.READ, ResourceType.TOPIC, line.name):
        return line.name, 0, ErrorCode.topic_authorization_failed
    topic = ctx.broker.topics.get(line.name)
    return line.name, 0 if topic is None else topic.partitions, ErrorCode.unknown_topic_or_partition


def to_commit(ctx: RequestContext, request: Any, line: Any) -> CommittedOffset:
    now_ms = ctx.broker.clock()
    retention_ms = milliseconds(request.retention_time) if ctx.version <= 4 else -1
    return CommittedOffset(
        offset=line.committed_offset,
        leader_epoch=line.committed_leader_epoch if ctx.version >= 6 else -1,
        metadata=line.committed_metadata or "",
        commit_timestamp_ms=now_ms,
        expire_timestamp_ms=now_ms + retention_ms if retention_ms >= 0 else None,
    )
