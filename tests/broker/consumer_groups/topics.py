"""Topics in memory, for groups without a broker."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from broker.topics.config import TopicConfig
from broker.topics.topic import Topic


class Topics:
    """A `TopicDirectory`; ids are numbered, so that tests are the same every time."""

    def __init__(self, **partitions: int) -> None:
        self.revision = 0
        self.by_name: dict[str, Topic] = {}
        self.made = 0
        self.hidden: set[tuple[str, str]] = set()
        """Principals' texts and the names that they must not know of."""
        for name, count in partitions.items():
            self.make(name, count)

    def get(self, name: str) -> Topic | None:
        return self.by_name.get(name)

    def by_id(self, topic_id: UUID) -> Topic | None:
        return next((topic for topic in self.by_name.values() if topic.id == topic_id), None)

    def names(self) -> Iterable[str]:
        return self.by_name.keys()

    def shows(self, name: str, viewer: tuple[str, str]) -> bool:
        return (viewer[0], name) not in self.hidden

    def hide(self, principal: str, name: str) -> None:
        self.hidden.add((principal, name))
        self.revision += 1

    def show(self, principal: str, name: str) -> None:
        self.hidden.remove((principal, name))
        self.revision += 1

    def make(self, name: str, partitions: int) -> None:
        self.made += 1
        topic_id = UUID(int=self.made)
        self.by_name[name] = Topic(
            name=name, id=topic_id, partitions=partitions, configs={}, config=TopicConfig.parse({})
        )
        self.revision += 1

    def grow(self, name: str, partitions: int) -> None:
        self.by_name[name] = replace(self.by_name[name], partitions=partitions)
        self.revision += 1

    def delete(self, name: str) -> None:
        del self.by_name[name]
        self.revision += 1
