"""ListConfigResources (key 74), versions 0-1 (KIP-1142).

v0 was ListClientMetricsResources: only client metrics subscriptions (KIP-1000) · v1 of the kinds asked for, or
all. A kind there is not is UNSUPPORTED_VERSION. Topics, this broker and its loggers are there whether or not anything
is set for them.
"""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from broker.configs.dynamic import Scope
from broker.handlers.resources.resource import BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP, TOPIC
from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.server.context import RequestContext

KINDS = (TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP)


@api(ApiKey.LIST_CONFIG_RESOURCES, 0, 1)
def handle(ctx: RequestContext, request: Any) -> Any:
    kinds = (CLIENT_METRICS,) if ctx.version == 0 else request.resource_types or KINDS
    if not set(kinds) <= set(KINDS):
        return response(request, error_code=ErrorCode.unsupported_version, config_resources=())
    return response(
        request,
        error_code=ErrorCode.none,
        config_resources=[
            {"resource_name": name, "resource_type": kind} for kind in dict.fromkeys(kinds) for name in names(ctx, kind)
        ],
    )


def names(ctx: RequestContext, kind: int) -> list[str]:
    if kind == TOPIC:
        return [topic.name for topic in ctx.broker.topics]
    if kind == CLIENT_METRICS:
        return ctx.broker.configs.dynamic.names(Scope.CLIENT_METRICS)
    if kind == GROUP:
        return sorted(ctx.broker.groups.configs.groups)
    return [str(ctx.broker.node_id)] if kind in (BROKER, BROKER_LOGGER) else []
