"""Which topics of a request must not be touched, for the hot handlers: asked only where there is an authorizer."""

from __future__ import annotations

from collections.abc import Iterable, Set
from uuid import UUID

from broker.security.operation import AclOperation
from broker.security.resource import ResourceType
from broker.server.context import RequestContext


def denied_topics(ctx: RequestContext, operation: AclOperation, topics: Iterable[str | UUID]) -> Set[str | UUID]:
    """The names and ids on which the operation is not allowed. Ids that nobody has are not among them."""
    denied: set[str | UUID] = set()
    for topic in topics:
        name = topic
        if isinstance(topic, UUID):
            known = ctx.broker.topics.by_id(topic)
            if known is None:
                continue
            name = known.name
        if not ctx.may(operation, ResourceType.TOPIC, str(name)):
            denied.add(topic)
    return denied
