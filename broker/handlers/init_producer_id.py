"""InitProducerId (key 22), versions 0-5.

v2 flexible · v3 a producer may give its present id and epoch to have the epoch raised (KIP-360) · v4 PRODUCER_FENCED ·
v5 TRANSACTION_ABORTABLE.
An idempotent producer gets a fresh id each time; with a given id too, which is as good for it (its sequences begin at 0
either way). Transactions are not served: a transactional id gets UNSUPPORTED_VERSION.
"""

from __future__ import annotations

import logging
from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.server.context import RequestContext

LOG = logging.getLogger("broker.producers")


@api(ApiKey.INIT_PRODUCER_ID, 0, 5)
def handle(ctx: RequestContext, request: Any) -> Any:
    code, producer_id = ErrorCode.none, -1
    if request.transactional_id is not None:
        code = ErrorCode.unsupported_version if request.transactional_id else ErrorCode.invalid_request
        LOG.warning("%s asked for transactions (%r), which are not served", ctx.client_id, request.transactional_id)
    else:
        try:
            producer_id = ctx.broker.producer_ids.take()
        except OSError as error:
            LOG.error("cannot reserve producer ids: %s", error)
            code = ErrorCode.kafka_storage_error
    return response(
        request, error_code=code, producer_id=producer_id, producer_epoch=0 if code is ErrorCode.none else -1
    )
