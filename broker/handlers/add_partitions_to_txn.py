"""AddPartitionsToTxn (key 24), versions 0-5.

v2 PRODUCER_FENCED · v3 flexible · v4 many transactions in one request, verify only (KIP-890; meant for brokers) ·
v5 TRANSACTION_ABORTABLE.
All partitions are added or none: if one is unknown or not to be written to, the others are answered
OPERATION_NOT_ATTEMPTED.
"""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.fencing import code_for
from broker.handlers.response import response
from broker.journal.entry import ProducerIdentity
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.security.operation import AclOperation
from broker.security.resource import CLUSTER_NAME, ResourceType
from broker.server.context import RequestContext
from broker.transactions.transaction import TopicPartition

FENCED_FROM = 2
BATCHED_FROM = 4
ABORTABLE_FROM = 5


@api(ApiKey.ADD_PARTITIONS_TO_TXN, 0, 5)
async def handle(ctx: RequestContext, request: Any) -> Any:
    if ctx.version < BATCHED_FROM:
        who = ProducerIdentity(request.v3_and_below_producer_id, request.v3_and_below_producer_epoch)
        topics = await add(ctx, request.v3_and_below_transactional_id, who, request.v3_and_below_topics, False)
        return response(request, results_by_topic_v3_and_below=topics)
    if not ctx.may(AclOperation.CLUSTER_ACTION, ResourceType.CLUSTER, CLUSTER_NAME):
        return response(request, error_code=ErrorCode.cluster_authorization_failed, results_by_transaction=())
    results = [
        {
            "transactional_id": line.transactional_id,
            "topic_results": await add(
                ctx,
                line.transactional_id,
                ProducerIdentity(line.producer_id, line.producer_epoch),
                line.topics,
                line.verify_only,
            ),
        }
        for line in request.transactions
    ]
    return response(request, error_code=ErrorCode.none, results_by_transaction=results)


async def add(
    ctx: RequestContext, transactional_id: str, who: ProducerIdentity, topics: Any, verify_only: bool
) -> list[dict[str, Any]]:
    """Adds the partitions of one transaction, or only looks whether they are in it; the results by topic."""
    wanted = [(topic.name, partition) for topic in topics for partition in topic.partitions]
    problems = {at: code for at in wanted if (code := problem(ctx, at)) is not ErrorCode.none}
    transactions = ctx.broker.transactions
    codes: dict[TopicPartition, ErrorCode]
    if ctx.version < BATCHED_FROM and not ctx.may(AclOperation.WRITE, ResourceType.TRANSACTIONAL_ID, transactional_id):
        codes = dict.fromkeys(wanted, ErrorCode.transactional_id_authorization_failed)
    elif problems:
        codes = {at: problems.get(at, ErrorCode.operation_not_attempted) for at in wanted}
    elif verify_only:
        codes = {at: transactions.check_write(transactional_id, who, at) for at in wanted}
    else:
        code = await transactions.enlist(transactional_id, who, frozenset(wanted))
        codes = dict.fromkeys(wanted, code)

    def told(at: TopicPartition) -> ErrorCode:
        abortable = ctx.version >= ABORTABLE_FROM
        return code_for(codes[at], fenced_known=ctx.version >= FENCED_FROM, abortable_known=abortable)

    return [
        {
            "name": topic.name,
            "results_by_partition": [
                {"partition_index": partition, "partition_error_code": told((topic.name, partition))}
                for partition in topic.partitions
            ],
        }
        for topic in topics
    ]


def problem(ctx: RequestContext, at: TopicPartition) -> ErrorCode:
    """Why a partition can be in no transaction."""
    if ctx.version < BATCHED_FROM and not ctx.may(AclOperation.WRITE, ResourceType.TOPIC, at[0]):
        return ErrorCode.topic_authorization_failed
    log = ctx.broker.logs.get(*at)
    if log is None:
        return ErrorCode.unknown_topic_or_partition
    return ErrorCode.invalid_topic_exception if log.internal else ErrorCode.none
