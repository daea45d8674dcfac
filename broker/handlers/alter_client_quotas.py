"""AlterClientQuotas (key 49), versions 0-1 (KIP-546).

v1 flexible. Each entity's quotas are set together or not at all. They are kept and shown; nobody is throttled.
"""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.quotas.entity import QuotaError, check_quota, entity_of
from broker.server.context import RequestContext


@api(ApiKey.ALTER_CLIENT_QUOTAS, 0, 1)
def handle(ctx: RequestContext, request: Any) -> Any:
    return response(request, entries=[alter(ctx, line, request.validate_only) for line in request.entries])


def alter(ctx: RequestContext, line: Any, validate_only: bool) -> dict[str, Any]:
    pairs = {part.entity_type: part.entity_name for part in line.entity}
    code, message = ErrorCode.none, None
    try:
        entity = entity_of(pairs.items())
        changes: dict[str, float | None] = {}
        for quota in line.ops:
            if quota.key in changes:
                raise QuotaError(f"Quota {quota.key} is named more than once for the same entity.")
            if not quota.remove:
                check_quota(entity, quota.key, quota.value)
            changes[quota.key] = None if quota.remove else float(quota.value)
        if not validate_only:
            ctx.broker.quotas.alter({entity: changes})
    except QuotaError as error:
        code, message = ErrorCode.invalid_request, str(error)
    except OSError as error:
        refusal = ctx.broker.storage_error("keep client quotas", error)
        code, message = refusal.code, refusal.message
    return {
        "error_code": code,
        "error_message": message,
        "entity": [{"entity_type": kind, "entity_name": name} for kind, name in pairs.items()],
    }
