"""ListTransactions (key 66), versions 0-2.

v1 only those that have been open for at least that long · v2 only transactional ids that match a pattern.
What one may not describe is left out.
"""

from __future__ import annotations

import re
from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.security.operation import AclOperation
from broker.security.resource import ResourceType
from broker.server.context import RequestContext
from broker.transactions.state import TransactionState
from broker.transactions.transaction import Transaction


@api(ApiKey.LIST_TRANSACTIONS, 0, 2)
def handle(ctx: RequestContext, request: Any) -> Any:
    titles = {state.title for state in TransactionState}
    wanted = set(request.state_filters)
    open_for_ms = request.duration_filter if ctx.version >= 1 else -1
    try:
        pattern = re.compile((request.transactional_id_pattern if ctx.version >= 2 else None) or "")
    except re.error:
        return response(
            request, error_code=ErrorCode.invalid_regular_expression, unknown_state_filters=(), transaction_states=()
        )
    opened_before = ctx.broker.clock() - open_for_ms

    def matches(transaction: Transaction) -> bool:
        return (
            (not request.state_filters or transaction.state.title in wanted)
            and (not request.producer_id_filters or transaction.producer_id in request.producer_id_filters)
            and (open_for_ms < 0 or 0 <= transaction.started_ms <= opened_before)
            and (not pattern.pattern or pattern.fullmatch(transaction.transactional_id) is not None)
            and ctx.may(
                AclOperation.DESCRIBE, ResourceType.TRANSACTIONAL_ID, transaction.transactional_id, audited=False
            )
        )

    return response(
        request,
        error_code=ErrorCode.none,
        unknown_state_filters=tuple(sorted(wanted - titles)),
        transaction_states=[
            {
                "transactional_id": transaction.transactional_id,
                "producer_id": transaction.producer_id,
                "transaction_state": transaction.state.title,
            }
            for transaction in ctx.broker.transactions.transactions.values()
            if matches(transaction)
        ],
    )
