"""IncrementalAlterConfigs (key 44), versions 0-1 (KIP-339).

v1 flexible. SET, DELETE, APPEND and SUBTRACT on topic configs; each topic's changes apply together or not at all.
The broker's own settings are given at start: changing them is refused.
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
from broker.topics.definitions import DEFINITIONS
from broker.topics.errors import TopicError

SET, DELETE, APPEND, SUBTRACT = range(4)


@api(ApiKey.INCREMENTAL_ALTER_CONFIGS, 0, 1)
def handle(ctx: RequestContext, request: Any) -> Any:
    responses: list[dict[str, Any]] = []
    seen: set[tuple[int, str]] = set()
    for line in request.resources:
        try:
            if (line.resource_type, line.resource_name) in seen:
                raise TopicError(ErrorCode.invalid_request, f"{line.resource_name!r} is named more than once.")
            seen.add((line.resource_type, line.resource_name))
            check_config_permission(ctx, AclOperation.ALTER_CONFIGS, line.resource_type, line.resource_name)
            alter(ctx, line, validate_only=request.validate_only)
        except TopicError as refusal:
            responses.append(altered(line, refusal))
        else:
            responses.append(altered(line, None))
    return response(request, responses=responses)


def alter(ctx: RequestContext, line: Any, *, validate_only: bool) -> None:
    """Applies the changes of one resource; raises TopicError if any of them cannot be."""
    check_resource(line)
    topic = ctx.broker.topics.require(line.resource_name)
    names = [change.name for change in line.configs]
    if len(set(names)) != len(names):
        raise TopicError(ErrorCode.invalid_request, "A config is named more than once for the same topic.")
    overrides = dict(topic.configs)
    for change in line.configs:
        apply(overrides, change)
    ctx.broker.set_configs(topic.name, overrides, validate_only=validate_only)


def apply(overrides: dict[str, str], change: Any) -> None:
    """Applies one operation to a topic's overrides."""
    name, operation, value = change.name, change.config_operation, change.value
    definition = DEFINITIONS.get(name)
    if definition is None:
        raise TopicError(ErrorCode.invalid_config, f"There is no topic config {name!r}.")
    if operation == DELETE:
        overrides.pop(name, None)
        return
    if value is None:
        raise TopicError(ErrorCode.invalid_request, f"Config {name} has no value.")
    if operation == SET:
        overrides[name] = value
        return
    if operation not in (APPEND, SUBTRACT):
        raise TopicError(ErrorCode.invalid_request, f"Unknown operation {operation} on config {name}.")
    if definition.type != "list":
        raise TopicError(ErrorCode.invalid_config, f"Config {name} is no list: it cannot be appended to or subtracted.")
    items = [item for item in overrides.get(name, definition.default).split(",") if item]
    changes = [item.strip() for item in value.split(",")]
    if operation == APPEND:
        items += [item for item in changes if item not in items]
    else:
        items = [item for item in items if item not in changes]
    overrides[name] = ",".join(items)
