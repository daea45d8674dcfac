"""DescribeClientQuotas (key 48), versions 0-1 (KIP-546).

v1 flexible. An unknown kind of entity is UNSUPPORTED_VERSION, other nonsense INVALID_REQUEST.
"""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.quotas.entity import KINDS, QuotaError
from broker.quotas.quotas import Match, check_filter
from broker.server.context import RequestContext


@api(ApiKey.DESCRIBE_CLIENT_QUOTAS, 0, 1)
def handle(ctx: RequestContext, request: Any) -> Any:
    components = [Match(line.entity_type, line.match_type, line.match) for line in request.components]
    try:
        check_filter(components)
    except QuotaError as error:
        return response(request, error_code=ErrorCode.invalid_request, error_message=str(error), entries=None)
    strange = [one.kind for one in components if one.kind not in KINDS]
    if strange:
        message = f"Unsupported entity type {strange[0]}"
        return response(request, error_code=ErrorCode.unsupported_version, error_message=message, entries=None)
    found = ctx.broker.quotas.matching(components, strict=request.strict)
    return response(
        request,
        error_code=ErrorCode.none,
        error_message="",
        entries=[
            {
                "entity": [{"entity_type": kind, "entity_name": name} for kind, name in sorted_entity(entity)],
                "values": [{"key": key, "value": value} for key, value in sorted(values.items())],
            }
            for entity, values in sorted(found.items(), key=lambda item: str(sorted_entity(item[0])))
        ],
    )


def sorted_entity(entity: frozenset[tuple[str, str | None]]) -> list[tuple[str, str | None]]:
    return sorted(entity, key=lambda part: part[0])
