"""IncrementalAlterConfigs (key 44), versions 0-1 (KIP-339).

v1 flexible. SET, DELETE, APPEND and SUBTRACT; the changes of a resource apply together or not at all. Resources:
topics, this broker or all brokers (KIP-226), its loggers (KIP-412), client metrics subscriptions (KIP-714), groups
(KIP-848).
"""

from __future__ import annotations

from typing import Any

from broker.handlers.resources.resource import Change, ConfigResource, carry_out
from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.server.context import RequestContext


@api(ApiKey.INCREMENTAL_ALTER_CONFIGS, 0, 1)
def handle(ctx: RequestContext, request: Any) -> Any:
    def alter(resource: ConfigResource, line: Any) -> None:
        changes = [Change(entry.name, entry.config_operation, entry.value) for entry in line.configs]
        resource.incremental(changes, validate_only=request.validate_only)

    return response(request, responses=carry_out(ctx, request.resources, alter))
