"""AlterConfigs (key 33), versions 0-2; deprecated in favour of IncrementalAlterConfigs, old tools still send it.

v2 flexible. Replaces everything that was set for a resource: whatever is not named falls back to its default.
"""

from __future__ import annotations

from typing import Any

from broker.handlers.resources.resource import ConfigResource, carry_out
from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.server.context import RequestContext


@api(ApiKey.ALTER_CONFIGS, 0, 2)
def handle(ctx: RequestContext, request: Any) -> Any:
    def alter(resource: ConfigResource, line: Any) -> None:
        resource.replace(
            {entry.name: entry.value.strip() for entry in line.configs}, validate_only=request.validate_only
        )

    return response(request, responses=carry_out(ctx, request.resources, alter))
