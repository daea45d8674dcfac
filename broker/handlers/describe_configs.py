"""DescribeConfigs (key 32), versions 1-4.

v1 synonyms and sources (KIP-226) · v3 types and documentation (KIP-569) · v4 flexible.
Resources: topics (2) and this broker (4, by its node id; the empty name asks for cluster-wide dynamic settings, and
there are none). Others are refused with INVALID_REQUEST.
"""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.config_entries import BROKER, TOPIC, broker_entries, topic_entries
from broker.handlers.config_permissions import check_config_permission
from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.security.operation import AclOperation
from broker.server.context import RequestContext
from broker.topics.errors import TopicError


@api(ApiKey.DESCRIBE_CONFIGS, 1, 4)
def handle(ctx: RequestContext, request: Any) -> Any:
    documented = ctx.version >= 3 and request.include_documentation
    return response(
        request,
        results=[describe(ctx, line, request.include_synonyms, documented) for line in request.resources],
    )


def describe(ctx: RequestContext, line: Any, synonyms: bool, documented: bool) -> dict[str, Any]:
    error, message, entries = ErrorCode.none, None, list[dict[str, Any]]()
    try:
        check_config_permission(ctx, AclOperation.DESCRIBE_CONFIGS, line.resource_type, line.resource_name)
        entries = entries_of(ctx, line.resource_type, line.resource_name)
    except TopicError as refusal:
        error, message = refusal.code, refusal.message
    wanted = line.configuration_keys
    if wanted is not None:
        entries = [entry for entry in entries if entry["name"] in wanted]
    for entry in entries:
        if not synonyms:
            entry["synonyms"] = []
        if not documented:
            entry["documentation"] = None
    return {
        "error_code": error,
        "error_message": message,
        "resource_type": line.resource_type,
        "resource_name": line.resource_name,
        "configs": entries,
    }


def entries_of(ctx: RequestContext, resource_type: int, name: str) -> list[dict[str, Any]]:
    """All entries of a resource; raises TopicError if there is no such thing."""
    if resource_type == TOPIC:
        topic = ctx.broker.topics.get(name)
        if topic is None:
            raise TopicError(ErrorCode.unknown_topic_or_partition, f"There is no topic {name!r}.")
        return topic_entries(topic, ctx.broker.options.topic_defaults)
    if resource_type == BROKER:
        if name not in ("", str(ctx.broker.node_id)):
            raise TopicError(
                ErrorCode.invalid_request, f"There is no broker {name!r} here; this one is {ctx.broker.node_id}."
            )
        return broker_entries(ctx.broker) if name else []
    raise TopicError(ErrorCode.invalid_request, f"Configs of resource type {resource_type} are not kept here.")
