"""DescribeTransactions (key 65), version 0."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.security.operation import AclOperation
from broker.security.resource import ResourceType
from broker.server.context import RequestContext

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@api(ApiKey.DESCRIBE_TRANSACTIONS, 0, 0)
def handle(ctx: RequestContext, request: Any) -> Any:
    return response(request, transaction_states=[describe(ctx, one) for one in request.transactional_ids])


def describe(ctx: RequestContext, transactional_id: str) -> dict[str, Any]:
    if ctx.may(AclOperation.DESCRIBE, ResourceType.TRANSACTIONAL_ID, transactional_id):
        transaction = ctx.broker.transactions.transactions.get(transactional_id)
        problem = ErrorCode.transactional_id_not_found if transactional_id else ErrorCode.invalid_request
    else:
        transaction, problem = None, ErrorCode.transactional_id_authorization_failed
    if transaction is None:
        return {
            "error_code": problem,
            "transactional_id": transactional_id,
            "transaction_state": "",
            "transaction_timeout": timedelta(0),
            "transaction_start_time": EPOCH,
            "producer_id": -1,
            "producer_epoch": -1,
            "topics": (),
        }
    topics: dict[str, list[int]] = {}
    for topic, partition in sorted(transaction.partitions):
        if ctx.may(AclOperation.DESCRIBE, ResourceType.TOPIC, topic, audited=False):
            topics.setdefault(topic, []).append(partition)
    return {
        "error_code": ErrorCode.none,
        "transactional_id": transactional_id,
        "transaction_state": transaction.state.title,
        "transaction_timeout": timedelta(milliseconds=transaction.timeout_ms),
        "transaction_start_time": EPOCH + timedelta(milliseconds=transaction.started_ms),
        "producer_id": transaction.producer_id,
        "producer_epoch": transaction.epoch,
        "topics": [{"topic": topic, "partitions": tuple(partitions)} for topic, partitions in topics.items()],
    }
