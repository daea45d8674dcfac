"""EndTxn (key 26), versions 0-5.

v2 PRODUCER_FENCED · v3 flexible · v4 TRANSACTION_ABORTABLE · v5 transactions v2 (KIP-890): the epoch is raised, and
returned.
Answered when the markers are written and, with fsync=always, durable.
"""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.fencing import code_for
from broker.handlers.response import response
from broker.journal.entry import ProducerIdentity
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.server.context import RequestContext
from broker.transactions.transaction import V1, V2

FENCED_FROM = 2
ABORTABLE_FROM = 4
BUMP_FROM = 5


@api(ApiKey.END_TXN, 0, 5)
async def handle(ctx: RequestContext, request: Any) -> Any:
    outcome = await ctx.broker.transactions.end(
        request.transactional_id,
        ProducerIdentity(request.producer_id, request.producer_epoch),
        commit=request.committed,
        client_version=V2 if ctx.version >= BUMP_FROM else V1,
    )
    if isinstance(outcome, ErrorCode):
        code = code_for(outcome, fenced_known=ctx.version >= FENCED_FROM, abortable_known=ctx.version >= ABORTABLE_FROM)
        return response(request, error_code=code)
    return response(request, error_code=ErrorCode.none, producer_id=outcome.producer_id, producer_epoch=outcome.epoch)
