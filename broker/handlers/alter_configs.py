"""AlterConfigs (key 33), versions 0-2; deprecated in favour of IncrementalAlterConfigs, old tools still send it.

v2 flexible. Replaces all overrides of a topic by those given: whatever is not named falls back to its default.
"""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.config_permissions import check_config_permission
from broker.handlers.response import response
from broker.handlers.topic_overrides import altered, check_resource
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.security.operation import AclOperation
from broker.server.context import RequestContext
from broker.topics.errors import TopicError


@api(ApiKey.ALTER_CONFIGS, 0, 2)
def handle(ctx: RequestContext, request: Any) -> Any:
    responses: list[dict[str, Any]] = []
    for line in request.resources:
        try:
            check_config_permission(ctx, AclOperation.ALTER_CONFIGS, line.resource_type, line.resource_name)
            check_resource(line)
            for entry in line.configs:
                if entry.value is None:
                    raise TopicError(ErrorCode.invalid_request, f"Config {entry.name} has no value.")
            overrides = {entry.name: entry.value for entry in line.configs}
            ctx.broker.set_configs(line.resource_name, overrides, validate_only=request.validate_only)
        except TopicError as refusal:
            responses.append(altered(line, refusal))
        else:
            responses.append(altered(line, None))
    return response(request, responses=responses)
