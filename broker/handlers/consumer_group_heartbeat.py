"""ConsumerGroupHeartbeat (key 68), versions 0-1 (KIP-848).

v1 the client chooses the member's id; subscription by regular expression.
Fields that are null, and a rebalance timeout of -1, are as the member said them last. The interval told is the
configured one at most: see `broker.consumer_groups.pace`.
With the feature `group.version` at 0 it is refused with UNSUPPORTED_VERSION.
"""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from broker.consumer_groups.partitions import Partitions, by_topic
from broker.consumer_groups.requests import HeartbeatRequest
from broker.handlers.denied_topics import denied_topics
from broker.handlers.response import MILLISECOND, milliseconds, response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.security.operation import AclOperation
from broker.security.refusal import MESSAGES
from broker.server.context import RequestContext

REGEX_FROM = 1


@api(ApiKey.CONSUMER_GROUP_HEARTBEAT, 0, 1)
async def handle(ctx: RequestContext, request: Any) -> Any:
    if not ctx.broker.features.level("group.version"):
        return refused(request, ErrorCode.unsupported_version)
    names = request.subscribed_topic_names
    if names and ctx.broker.authorizer is not None and denied_topics(ctx, AclOperation.DESCRIBE, frozenset(names)):
        return refused(request, ErrorCode.topic_authorization_failed)
    coordinator = ctx.broker.groups
    result = await coordinator.consumer_heartbeat(
        HeartbeatRequest(
            version=ctx.version,
            group_id=request.group_id,
            member_id=request.member_id,
            new_member_id=coordinator.new_id(),
            member_epoch=request.member_epoch,
            client_id=ctx.client_id or "",
            client_host=ctx.client_host,
            principal="" if ctx.broker.authorizer is None else str(ctx.principal),
            instance_id=request.instance_id,
            rack_id=request.rack_id,
            rebalance_timeout_ms=milliseconds(request.rebalance_timeout),
            topics=None if names is None else frozenset(names),
            regex=request.subscribed_topic_regex if ctx.version >= REGEX_FROM else None,
            assignor=request.server_assignor,
            owned=owned(request.topic_partitions),
        )
    )
    return response(
        request,
        error_code=result.error,
        error_message=result.message,
        member_id=result.member_id,
        member_epoch=result.member_epoch,
        heartbeat_interval=result.heartbeat_interval_ms * MILLISECOND,
        assignment=None if result.assigned is None else {"topic_partitions": lines(result.assigned)},
    )


def refused(request: Any, code: ErrorCode) -> Any:
    """The answer that tells nothing else."""
    return response(
        request,
        error_code=code,
        error_message=MESSAGES.get(code),
        member_id=None,
        member_epoch=0,
        heartbeat_interval=0 * MILLISECOND,
        assignment=None,
    )


def owned(topics: Any) -> Partitions | None:
    if topics is None:
        return None
    return frozenset((line.topic_id, index) for line in topics for index in line.partitions)


def lines(partitions: Partitions) -> list[dict[str, Any]]:
    return [{"topic_id": topic_id, "partitions": tuple(found)} for topic_id, found in by_topic(partitions).items()]
