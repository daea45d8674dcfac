"""DeleteTopics (key 20), versions 1-6.

v4 flexible · v5 error messages · v6 by name or by topic id (KIP-516).
Deleted at once, with everything the groups committed for the topic. A name is told, and a missing topic is told from
one that must not be touched, only to those who may describe it.
"""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

from kio.schema.errors import ErrorCode

from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.security.operation import AclOperation
from broker.security.refusal import MESSAGES
from broker.security.resource import CLUSTER_NAME, ResourceType
from broker.server.context import RequestContext
from broker.topics.errors import TopicError


@api(ApiKey.DELETE_TOPICS, 1, 6)
def handle(ctx: RequestContext, request: Any) -> Any:
    if ctx.version < 6:
        asked: list[tuple[str | None, UUID | None]] = [(name, None) for name in request.topic_names]
    else:
        asked = [(line.name, line.topic_id) for line in request.topics]
    times_named = Counter(asked)
    anything = ctx.may(AclOperation.DELETE, ResourceType.CLUSTER, CLUSTER_NAME, audited=False)
    responses = [delete(ctx, *line, times_named[line] > 1, anything) for line in dict.fromkeys(asked)]
    return response(request, responses=responses)


def delete(ctx: RequestContext, name: str | None, topic_id: UUID | None, twice: bool, anything: bool) -> dict[str, Any]:
    """Deletes one topic, or says why not."""
    answer: dict[str, Any] = {"name": name, "topic_id": topic_id, "error_code": ErrorCode.none, "error_message": None}
    try:
        if twice or (name is None) == (topic_id is None):
            raise TopicError(ErrorCode.invalid_request, "Name each topic once, either by its name or by its id.")
        topic = ctx.broker.topics.get(name) if name is not None else None
        if topic_id is not None:
            topic = ctx.broker.topics.by_id(topic_id)
            if topic is None:
                raise TopicError(ErrorCode.unknown_topic_id, f"There is no topic with the id {topic_id}.")
        known_name = name if topic is None else topic.name
        assert known_name is not None
        if not anything and not ctx.may(AclOperation.DESCRIBE, ResourceType.TOPIC, known_name):
            raise refusal()
        if topic is None:
            raise TopicError(ErrorCode.unknown_topic_or_partition, f"There is no topic {name!r}.")
        if topic_id is not None:
            answer["name"] = topic.name
        if not anything and not ctx.may(AclOperation.DELETE, ResourceType.TOPIC, topic.name):
            raise refusal()
        if topic.internal:
            raise TopicError(ErrorCode.invalid_request, f"Topic {topic.name!r} is the broker's own; it stays.")
        answer["topic_id"] = topic.id
        ctx.broker.delete_topic(topic.name)
    except TopicError as error:
        return answer | {"error_code": error.code, "error_message": error.message}
    ctx.broker.groups.topic_deleted(topic.name)
    return answer


def refusal() -> TopicError:
    code = ErrorCode.topic_authorization_failed
    return TopicError(code, MESSAGES[code])
