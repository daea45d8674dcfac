"""InitProducerId (key 22), versions 0-5.

v2 flexible · v3 a producer may give its present id and epoch to have the epoch raised (KIP-360) · v4 PRODUCER_FENCED ·
v5 TRANSACTION_ABORTABLE.
A producer without transactional id gets a fresh id each time, as in Kafka: also one that gives its present id, since
nothing is known of it here and its sequences begin at 0 either way. An id without an epoch, or an epoch without an
id, is INVALID_REQUEST. What the predecessor of a transactional producer left open is aborted within
the request, so CONCURRENT_TRANSACTIONS is told only while the storage fails.
"""

from __future__ import annotations

import logging
from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.fencing import code_for
from broker.handlers.response import milliseconds, response
from broker.journal.entry import ProducerIdentity
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.security.operation import AclOperation
from broker.security.resource import CLUSTER_NAME, ResourceType
from broker.server.context import RequestContext

LOG = logging.getLogger("broker.producers")
CLAIMED_FROM = 3
FENCED_FROM = 4


@api(ApiKey.INIT_PRODUCER_ID, 0, 5)
async def handle(ctx: RequestContext, request: Any) -> Any:
    refusal = refuse(ctx, request.transactional_id)
    if refusal is not ErrorCode.none:
        return response(request, error_code=refusal, producer_id=-1, producer_epoch=-1)
    claimed = None
    if ctx.version >= CLAIMED_FROM:
        if (request.producer_id < 0) != (request.producer_epoch < 0):
            return response(request, error_code=ErrorCode.invalid_request, producer_id=-1, producer_epoch=-1)
        if request.producer_id >= 0:
            claimed = ProducerIdentity(request.producer_id, request.producer_epoch)
    if request.transactional_id is None:
        outcome = without_transactions(ctx)
    else:
        outcome = await ctx.broker.transactions.initialise(
            request.transactional_id, milliseconds(request.transaction_timeout), claimed
        )
    if isinstance(outcome, ErrorCode):
        code = code_for(outcome, fenced_known=ctx.version >= FENCED_FROM)
        return response(request, error_code=code, producer_id=-1, producer_epoch=-1)
    return response(request, error_code=ErrorCode.none, producer_id=outcome.producer_id, producer_epoch=outcome.epoch)


def refuse(ctx: RequestContext, transactional_id: str | None) -> ErrorCode:
    """Who may write to any topic at all may be idempotent."""
    if transactional_id is not None:
        allowed = ctx.may(AclOperation.WRITE, ResourceType.TRANSACTIONAL_ID, transactional_id)
        return ErrorCode.none if allowed else ErrorCode.transactional_id_authorization_failed
    allowed = ctx.may_anywhere(AclOperation.WRITE, ResourceType.TOPIC) or ctx.may(
        AclOperation.IDEMPOTENT_WRITE, ResourceType.CLUSTER, CLUSTER_NAME
    )
    return ErrorCode.none if allowed else ErrorCode.cluster_authorization_failed


def without_transactions(ctx: RequestContext) -> ProducerIdentity | ErrorCode:
    """A fresh id for an idempotent producer."""
    try:
        return ProducerIdentity(ctx.broker.producer_ids.take(), 0)
    except OSError as error:
        LOG.error("cannot reserve producer ids: %s", error)
        return ErrorCode.kafka_storage_error
