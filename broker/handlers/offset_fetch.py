"""OffsetFetch (key 9), versions 1-10.

v2 all topics (null), error of the group · v3 throttling · v5 leader epochs · v6 flexible · v7 require_stable
(KIP-447) · v8 many groups in one request (KIP-709) · v9 member id and epoch, checked in consumer groups (KIP-848) ·
v10 topic ids instead of names.
What was never committed is no error: offset -1, epoch -1, metadata "". So is a group that is not there.
Topics that one may not describe are left out where all are asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from kio.schema.errors import ErrorCode

from broker.handlers.response import response
from broker.offsets.committed_offset import CommittedOffset
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.security.operation import AclOperation
from broker.security.resource import ResourceType
from broker.server.context import RequestContext


@api(ApiKey.OFFSET_FETCH, 1, 10)
def handle(ctx: RequestContext, request: Any) -> Any:
    stable = ctx.version >= 7 and request.require_stable
    if ctx.version < 8:
        return response(request, **answer_group(ctx, request.group_id, request.topics, stable))
    return response(request, groups=[answer_member(ctx, group, stable) for group in request.groups])


def answer_member(ctx: RequestContext, group: Any, stable: bool) -> dict[str, Any]:
    """The answer for one group, asked for by whom it names as its member, if it does."""
    member_id, epoch = (group.member_id, group.member_epoch) if ctx.version >= 9 else (None, -1)
    return {"group_id": group.group_id, **answer_group(ctx, group.group_id, group.topics, stable, member_id, epoch)}


def answer_group(
    ctx: RequestContext,
    group_id: str,
    lines: Sequence[Any] | None,
    stable: bool,
    member_id: str | None = None,
    epoch: int = -1,
) -> dict[str, Any]:
    """Topics and error of one group. Version 1 has no error at the top and shows it at every partition."""
    if ctx.may(AclOperation.DESCRIBE, ResourceType.GROUP, group_id):
        refusal = ctx.broker.groups.check_fetch(group_id, member_id, epoch)
        topics = fetch_group(ctx, group_id, lines, stable) if refusal is ErrorCode.none else []
        return {"error_code": refusal, "topics": topics}
    code = ErrorCode.group_authorization_failed
    refused: list[dict[str, Any]] = []
    if ctx.version < 2:
        refused = [
            {"name": line.name, "partitions": [answer(index, code) for index in line.partition_indexes]}
            for line in lines or ()
        ]
    return {"error_code": code, "topics": refused}


def fetch_group(ctx: RequestContext, group_id: str, lines: Sequence[Any] | None, stable: bool) -> list[dict[str, Any]]:
    """The answer for the topics asked for, or for all that the group has offsets of."""
    if lines is None:
        return fetch_all(ctx, group_id, stable)
    topics: list[dict[str, Any]] = []
    for line in lines:
        name: str | None = line.name if ctx.version < 10 else name_of(ctx, line.topic_id)
        partitions = [fetch_partition(ctx, group_id, name, index, stable) for index in line.partition_indexes]
        topics.append({"name": name, "topic_id": getattr(line, "topic_id", None), "partitions": partitions})
    return topics


def fetch_all(ctx: RequestContext, group_id: str, stable: bool) -> list[dict[str, Any]]:
    """All offsets of the group; by id (v10) only those of topics that still exist."""
    topics: dict[str, dict[str, Any]] = {}
    for name, index in ctx.broker.groups.offsets.of_group(group_id):
        topic = ctx.broker.topics.get(name)
        if topic is None and ctx.version >= 10:
            continue
        if not ctx.may(AclOperation.DESCRIBE, ResourceType.TOPIC, name, audited=False):
            continue
        if name not in topics:
            topics[name] = {"name": name, "topic_id": None if topic is None else topic.id, "partitions": []}
        topics[name]["partitions"].append(fetch_partition(ctx, group_id, name, index, stable))
    return list(topics.values())


def name_of(ctx: RequestContext, topic_id: UUID | None) -> str | None:
    topic = None if topic_id is None else ctx.broker.topics.by_id(topic_id)
    return None if topic is None else topic.name


def fetch_partition(ctx: RequestContext, group_id: str, topic: str | None, index: int, stable: bool) -> dict[str, Any]:
    """One partition's answer; `topic` is None where an id (v10) names none."""
    offsets = ctx.broker.groups.offsets
    error, committed = ErrorCode.none, None
    if topic is None:
        error = ErrorCode.unknown_topic_id
    elif not ctx.may(AclOperation.DESCRIBE, ResourceType.TOPIC, topic):
        error = ErrorCode.topic_authorization_failed
    elif stable and offsets.unstable(group_id, (topic, index)):
        error = ErrorCode.unstable_offset_commit
    else:
        committed = offsets.get(group_id, (topic, index))
    return answer(index, error, committed)


def answer(index: int, error: ErrorCode, committed: CommittedOffset | None = None) -> dict[str, Any]:
    return {
        "partition_index": index,
        "committed_offset": -1 if committed is None else committed.offset,
        "committed_leader_epoch": -1 if committed is None else committed.leader_epoch,
        "metadata": "" if committed is None else committed.metadata,
        "error_code": error,
    }
