"""What a request is about: the topics and groups it names, wherever in it they stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from broker.topics.catalogue import TopicCatalogue

TOPIC_FIELDS = ("name", "topic", "topic_name", "topic_id", "topic_names", "subscribed_topic_names")
GROUP_FIELDS = ("group_id", "groups", "groups_names", "coordinator_keys", "key")


def topics_named(request: Any, topics: TopicCatalogue) -> set[str]:
    """Names of topics; ids count by the names behind them."""
    found: set[str] = set()
    for name, value in scalars(request):
        if name in TOPIC_FIELDS:
            topic = topics.by_id(value) if isinstance(value, UUID) else None
            found.add(str(value) if topic is None else topic.name)
    return found


def groups_named(request: Any) -> set[str]:
    return {value for name, value in scalars(request) if name in GROUP_FIELDS}


def scalars(entity: Any) -> Iterator[tuple[str, Any]]:
    """(field, value) of all strings and ids in an entity and below; items of an array under the array's name."""
    for field in fields(entity):
        value: Any = getattr(entity, field.name)
        items: Iterable[Any] = value if value.__class__ is tuple else (value,)
        for item in items:
            if is_dataclass(item):
                yield from scalars(item)
            elif isinstance(item, str | UUID):
                yield field.name, item
