"""FindCoordinator (key 10), versions 0-6.

v1 key type (0 group, 1 transaction) · v3 flexible · v4 many keys in one request (KIP-699) · v5 may answer
TRANSACTION_ABORTABLE · v6 share groups (key type 2: not served, INVALID_REQUEST).
One node coordinates everything, so the answer is always this broker. As in Kafka, whoever looks for a coordinator makes
the topic that it writes to.
"""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.security.operation import AclOperation
from broker.security.refusal import CODES, MESSAGES
from broker.security.resource import ResourceType
from broker.server.context import RequestContext
from broker.topics.errors import TopicError

GROUP, TRANSACTION = 0, 1
RESOURCES = {GROUP: ResourceType.GROUP, TRANSACTION: ResourceType.TRANSACTIONAL_ID}


@api(ApiKey.FIND_COORDINATOR, 0, 6)
def handle(ctx: RequestContext, request: Any) -> Any:
    kind: int = getattr(request, "key_type", GROUP)
    if ctx.version < 4:
        return response(request, **find(ctx, kind, request.key))
    return response(request, coordinators=[{"key": key, **find(ctx, kind, key)} for key in request.coordinator_keys])


def find(ctx: RequestContext, kind: int, key: str) -> dict[str, Any]:
    """The answer for one group or transactional id, there or not."""
    resource_type = RESOURCES.get(kind)
    if resource_type is None:
        return nowhere(ErrorCode.invalid_request, f"Coordinator key type {kind} is not served by this broker.")
    if not ctx.may(AclOperation.DESCRIBE, resource_type, key):
        code = CODES[resource_type]
        return nowhere(code, MESSAGES[code])
    coordinator = ctx.broker.groups if kind == GROUP else ctx.broker.transactions
    try:
        coordinator.journal.log.partition_of(key)
    except TopicError as refusal:
        return nowhere(ErrorCode.coordinator_not_available, refusal.message)
    return {
        "error_code": ErrorCode.none,
        "error_message": None,
        "node_id": ctx.broker.node_id,
        "host": ctx.endpoint.host,
        "port": ctx.endpoint.port,
    }


def nowhere(code: ErrorCode, message: str) -> dict[str, Any]:
    return {"error_code": code, "error_message": message, "node_id": -1, "host": "", "port": -1}
