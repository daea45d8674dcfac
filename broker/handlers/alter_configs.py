"""AlterConfigs (key 33), versions 0-2; deprecated in favour of IncrementalAlterConfigs, old tools still send it.

v2 flexible. Replaces all overrides of a topic or group by those given: whatever is not named falls back to its default.
"""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.config_entries import GROUP
from broker.handlers.group_configs import replace_group_configs
from broker.handlers.response import response
from broker.handlers.topic_overrides import altered, check_resource
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.server.context import RequestContext
from broker.topics.errors import TopicError


@api(ApiKey.ALTER_CONFIGS, 0, 2)
def handle(ctx: RequestContext, request: Any) -> Any:
    responses: list[dict[str, Any]] = []
    for line in request.resources:
        try:
            check_resource(line)
            for entry in line.configs:
                if entry.value is None:
                    raise TopicError(ErrorCode.invalid_request, f"Config {entry.name} has no value.")
            overrides = {entry.name: entry.value for entry in line.configs}
            if line.resource_type == GROUP:
                replace_group_configs(ctx.broker, line.resource_name, overrides, validate_only=request.validate_only)
            else:
                ctx.broker.set_configs(line.resource_name, overrides, validate_only=request.validate_only)
        except TopicError as refusal:
            responses.append(altered(line, refusal))
        else:
            responses.append(altered(line, None))
    return response(request, responses=responses)
