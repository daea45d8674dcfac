"""FindCoordinator (key 10), versions 0-6.

v1 key type (0 group, 1 transaction) · v3 flexible · v4 many keys in one request (KIP-699) · v5 may answer
TRANSACTION_ABORTABLE · v6 share groups (key type 2: not served, INVALID_REQUEST).
One node coordinates everything, so the answer is always this broker.
"""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.server.context import RequestContext

GROUP, TRANSACTION = 0, 1


@api(ApiKey.FIND_COORDINATOR, 0, 6)
def handle(ctx: RequestContext, request: Any) -> Any:
    known = getattr(request, "key_type", GROUP) in (GROUP, TRANSACTION)
    here = {
        "error_code": ErrorCode.none if known else ErrorCode.invalid_request,
        "error_message": None if known else f"Coordinator key type {request.key_type} is not served by this broker.",
        "node_id": ctx.broker.node_id if known else -1,
        "host": ctx.endpoint.host if known else "",
        "port": ctx.endpoint.port if known else -1,
    }
    if ctx.version < 4:
        return response(request, **here)
    return response(request, coordinators=[{"key": key, **here} for key in request.coordinator_keys])
