"""CreatePartitions (key 37), versions 0-3.

v2 flexible · v3 quotas. The count is the new total and can only grow; assignments can only name this broker.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.security.operation import AclOperation
from broker.security.refusal import MESSAGES
from broker.security.resource import ResourceType
from broker.server.context import RequestContext
from broker.topics.assignment import check_replicas
from broker.topics.errors import TopicError


@api(ApiKey.CREATE_PARTITIONS, 0, 3)
def handle(ctx: RequestContext, request: Any) -> Any:
    times_named = Counter(line.name for line in request.topics)
    results: list[dict[str, Any]] = []
    for name, line in {line.name: line for line in request.topics}.items():
        error, message = ErrorCode.none, None
        try:
            if times_named[name] > 1:
                raise TopicError(ErrorCode.invalid_request, f"Topic {name!r} is named more than once in the request.")
            if not ctx.may(AclOperation.ALTER, ResourceType.TOPIC, name):
                code = ErrorCode.topic_authorization_failed
                raise TopicError(code, MESSAGES[code])
            grow(ctx, line, validate_only=request.validate_only)
        except TopicError as refusal:
            error, message = refusal.code, refusal.message
        results.append({"name": name, "error_code": error, "error_message": message})
    return response(request, results=results)


def grow(ctx: RequestContext, line: Any, *, validate_only: bool) -> None:
    """Raises the number of partitions to `line.count`; raises TopicError if that cannot be."""
    topic = ctx.broker.topics.get(line.name)
    if topic is not None and topic.internal:
        # Groups are spread over the partitions of __consumer_offsets by their number: another number would lose them.
        raise TopicError(ErrorCode.invalid_request, f"Topic {line.name!r} is the broker's own; it stays as it is.")
    added = line.count - (0 if topic is None else topic.partitions)
    if added > 0 and line.assignments is not None and len(line.assignments) != added:
        raise TopicError(
            ErrorCode.invalid_replica_assignment,
            f"{added} partitions would be new, but {len(line.assignments)} are assigned.",
        )
    for assignment in line.assignments or ():
        check_replicas(assignment.broker_ids, ctx.broker.node_id)
    ctx.broker.add_partitions(line.name, line.count, validate_only=validate_only)
