"""What serdes share whose records begin with the id of their schema in a registry.

Such a serde is declared without a topic and is bound when the topic it is for is known: the subject of its schema
depends on it. Unbound it can read where it needs no registry or has one of its own, and cannot write.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from streams.errors import ConfigError
from streams.serde.registry import SchemaRegistry, bind_again, registry_for
from streams.serde.serde import Destination, Serde


class RegisteredSerde(ABC):
    """One declaration, from which the serdes for its topics are made."""

    def __init__(self, *, type: Any, name: str, form: str, schema: str, registry: SchemaRegistry | None) -> None:
        """`schema`: its text or name, which tells whether two declarations are the same. `registry`: the declaration's
        own; None: that of the application."""
        self.type = type
        self.name = name
        self.form = form
        self.text = schema
        self.registry = registry

    @abstractmethod
    def writer(self, registry: SchemaRegistry, destination: Destination) -> Callable[[Any], bytes]:
        """Asks the registry for the id when the first record is written, and keeps it."""

    @abstractmethod
    def reader(self, registry: SchemaRegistry | None) -> Callable[[bytes], Any]:
        """Asks the registry for each schema when its first record is read, and keeps it."""

    def unbound(self) -> Serde:
        """The serde before a topic is known."""

        def serialize(value: Any) -> bytes:
            raise ConfigError(f"{self.name} is for no topic yet: serde.bound(Destination(topic, 'value', registry))")

        return self._serde(serialize, self.reader(self.registry), (self.text, None), self.bind)

    def bind(self, destination: Destination) -> Serde:
        """The serde for a topic. Raises ConfigError where neither declaration nor application has a registry."""
        registry = registry_for(self.registry, destination, self.name)
        where = (self.text, registry.url, destination.topic, destination.role)
        return self._serde(
            self.writer(registry, destination), self.reader(registry), where, bind_again(self.bind, registry)
        )

    def _serde(
        self,
        serialize: Callable[[Any], bytes],
        deserialize: Callable[[bytes], Any],
        schema: object,
        bind: Callable[[Destination], Serde],
    ) -> Serde:
        return Serde(
            serialize=serialize,
            deserialize=deserialize,
            type=self.type,
            name=self.name,
            form=self.form,
            schema=schema,
            bind=bind,
        )
