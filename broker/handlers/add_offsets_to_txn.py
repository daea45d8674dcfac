"""AddOffsetsToTxn (key 25), versions 0-4.

v2 PRODUCER_FENCED · v3 flexible · v4 TRANSACTION_ABORTABLE.
The transaction then includes the group's partition of `__consumer_offsets`.
"""

from __future__ import annotations

from typing import Any

from broker.handlers.fencing import code_for
from broker.handlers.response import response
from broker.journal.entry import ProducerIdentity
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.server.context import RequestContext

FENCED_FROM = 2
ABORTABLE_FROM = 4


@api(ApiKey.ADD_OFFSETS_TO_TXN, 0, 4)
async def handle(ctx: RequestContext, request: Any) -> Any:
    who = ProducerIdentity(request.producer_id, request.producer_epoch)
    code = await ctx.broker.transactions.enlist_group(request.transactional_id, who, request.group_id)
    code = code_for(code, fenced_known=ctx.version >= FENCED_FROM, abortable_known=ctx.version >= ABORTABLE_FROM)
    return response(request, error_code=code)
