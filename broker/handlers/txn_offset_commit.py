"""TxnOffsetCommit (key 28), versions 0-5.

v2 leader epochs · v3 flexible; generation, member and instance id (KIP-447) · v4 TRANSACTION_ABORTABLE · v5 adds the
group's offsets to the transaction by itself (transactions v2, KIP-890).
The offsets are held back until the transaction ends. They can be asked for meanwhile, but OffsetFetch with
require_stable tells that they are about to change.
"""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from broker.groups.requests import MemberIdentity
from broker.handlers.fencing import code_for
from broker.handlers.response import response
from broker.journal.entry import ProducerIdentity
from broker.offsets.committed_offset import CommittedOffset
from broker.offsets.store import TopicPartition
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.security.operation import AclOperation
from broker.security.resource import ResourceType
from broker.server.context import RequestContext
from broker.topics.errors import TopicError
from broker.transactions.transaction import V2

LEADER_EPOCH_FROM = 2
IDENTITY_FROM = 3
ABORTABLE_FROM = 4
IMPLICIT_FROM = 5


@api(ApiKey.TXN_OFFSET_COMMIT, 0, 5)
async def handle(ctx: RequestContext, request: Any) -> Any:
    groups = ctx.broker.groups
    who = ProducerIdentity(request.producer_id, request.producer_epoch)
    if ctx.version >= IMPLICIT_FROM:
        refusal = await ctx.broker.transactions.enlist_group(request.transactional_id, who, request.group_id, V2)
    else:
        refusal = ErrorCode.none
    if refusal is ErrorCode.none:
        refusal = refuse(ctx, request, who)
    accepted: dict[TopicPartition, CommittedOffset] = {}
    topics: list[dict[str, Any]] = []
    for topic in request.topics:
        readable = ctx.may(AclOperation.READ, ResourceType.TOPIC, topic.name)
        known = ctx.broker.topics.get(topic.name)
        lines: list[dict[str, Any]] = []
        for line in topic.partitions:
            code = refusal if readable else ErrorCode.topic_authorization_failed
            if code is ErrorCode.none and (known is None or not 0 <= line.partition_index < known.partitions):
                code = ErrorCode.unknown_topic_or_partition
            if code is ErrorCode.none:
                metadata = line.committed_metadata or ""
                if len(metadata.encode()) > groups.settings.offset_metadata_max_bytes:
                    code = ErrorCode.offset_metadata_too_large
                else:
                    accepted[topic.name, line.partition_index] = CommittedOffset(
                        offset=line.committed_offset,
                        leader_epoch=line.committed_leader_epoch if ctx.version >= LEADER_EPOCH_FROM else -1,
                        metadata=metadata,
                        commit_timestamp_ms=ctx.broker.clock(),
                    )
            lines.append({"partition_index": line.partition_index, "error_code": code})
        topics.append({"name": topic.name, "partitions": lines})
    if accepted:
        outcome = await groups.hold_back(request.group_id, who, accepted)
        for line in (line for topic in topics for line in topic["partitions"]):
            line["error_code"] = line["error_code"] or outcome
    return response(request, topics=topics)


def refuse(ctx: RequestContext, request: Any, who: ProducerIdentity) -> ErrorCode:
    """The code that refuses the whole request, or none: first the group's objections, then the transaction's.

    Nothing is waited for between this and the queueing of the offsets, so nothing can change between them.
    """
    if not request.group_id:
        return ErrorCode.invalid_group_id
    if ctx.version >= IDENTITY_FROM:
        member, generation = MemberIdentity(request.member_id, request.group_instance_id), request.generation_id
    else:
        member, generation = MemberIdentity(""), -1
    code = ctx.broker.groups.check_commit(request.group_id, member, generation, version=ctx.version, transactional=True)
    if code is ErrorCode.group_id_not_found:
        return ErrorCode.illegal_generation
    if code is not ErrorCode.none:
        return code
    try:
        at = ctx.broker.transactions.participants.offsets_partition(request.group_id)
    except TopicError as error:
        return error.code
    code = ctx.broker.transactions.check_write(request.transactional_id, who, at)
    return code_for(code, fenced_known=False, abortable_known=ctx.version >= ABORTABLE_FROM)
