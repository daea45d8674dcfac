"""DescribeConfigs (key 32), versions 1-4.

v1 synonyms and sources (KIP-226) · v3 types and documentation (KIP-569) · v4 flexible.
Resources: topics, this broker by its id, the cluster-wide dynamic settings by the empty name, the broker's loggers,
client metrics subscriptions, groups, be they there or not. Others are refused with INVALID_REQUEST. No keys, or none
of them: all.
"""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.resources.resource import resource
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
        entries = resource(ctx, AclOperation.DESCRIBE_CONFIGS, line.resource_type, line.resource_name).entries()
    except TopicError as refusal:
        error, message = refusal.code, refusal.message
    wanted = line.configuration_keys
    if wanted:
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
