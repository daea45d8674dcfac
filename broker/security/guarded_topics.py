"""The broker's topics as consumer groups see them behind an authorizer."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from broker.security.authorizer import Authorizer
from broker.security.operation import AclOperation
from broker.security.principal import Principal
from broker.security.resource import ResourceType
from broker.topics.catalogue import TopicCatalogue
from broker.topics.topic import Topic


class GuardedTopics:
    """A `TopicDirectory` that shows those topics that the principal behind a member may describe."""

    def __init__(self, topics: TopicCatalogue, authorizer: Authorizer) -> None:
        self.topics = topics
        self.authorizer = authorizer

    @property
    def revision(self) -> int:
        return self.topics.revision + self.authorizer.revision  # neither goes back, so the sum tells of both

    def get(self, name: str) -> Topic | None:
        return self.topics.get(name)

    def by_id(self, topic_id: UUID) -> Topic | None:
        return self.topics.by_id(topic_id)

    def names(self) -> Iterable[str]:
        return self.topics.names()

    def shows(self, name: str, viewer: tuple[str, str]) -> bool:
        """`viewer`: a principal's text and its host. Nothing is shown to a member that came before there was an
        authorizer, until it beats again."""
        principal, host = viewer
        kind, _, who = principal.partition(":")
        return bool(principal) and self.authorizer.allows(
            Principal(kind, who), host, AclOperation.DESCRIBE, ResourceType.TOPIC, name, audited=False
        )
