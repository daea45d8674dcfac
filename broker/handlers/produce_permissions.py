"""Which topics of a produce request must not be written to, and why. Asked only where there is an authorizer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias
from uuid import UUID

from kio.schema.errors import ErrorCode

from broker.handlers.denied_topics import denied_topics
from broker.handlers.transactional_write import writer
from broker.security.operation import AclOperation
from broker.security.resource import ResourceType
from broker.server.context import RequestContext

TopicKey: TypeAlias = str | UUID
Denied: TypeAlias = Mapping[TopicKey, ErrorCode]
NONE_DENIED: Final[Denied] = MappingProxyType({})


def denied_writes(
    ctx: RequestContext,
    transactional_id: str | None,
    topics: Iterable[tuple[TopicKey, Iterable[tuple[int, memoryview | None]]]],
) -> Denied:
    """The topics that are refused as a whole. Transactional batches need the transactional id too, else all are."""
    topics = list(topics)
    if any(batch is not None and writer(batch) is not None for _, batches in topics for _, batch in batches) and (
        transactional_id is None or not ctx.may(AclOperation.WRITE, ResourceType.TRANSACTIONAL_ID, transactional_id)
    ):
        return {topic: ErrorCode.transactional_id_authorization_failed for topic, _ in topics}
    denied = denied_topics(ctx, AclOperation.WRITE, (topic for topic, _ in topics))
    return dict.fromkeys(denied, ErrorCode.topic_authorization_failed)
