"""Writing for topics that are known only when a record is there."""

from __future__ import annotations

from typing import Any

from streams.serde.serde import Destination, Role, Serde


class SerializerByTopic:
    """Serialises for the topic it is told, with one bound serde for each. Used by one stream thread."""

    __slots__ = ("_bound", "_role", "_serde")

    def __init__(self, serde: Serde, role: Role) -> None:
        self._serde = serde
        self._role: Role = role
        self._bound: dict[str, Serde] = {}

    def __call__(self, topic: str, value: Any) -> bytes:
        bound = self._bound.get(topic)
        if bound is None:
            bound = self._bound[topic] = self._serde.bound(Destination(topic, self._role))
        return bound.serialize(value)
