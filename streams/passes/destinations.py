"""Tells serdes what they write for: the topic, and the application's schema registry.

    a sink, a repartition      its topic
    the rows of a store        its changelog topic, whether it has one or not
    anything else              `<application>-<operator>`: keys to look up, changes that wait

Schemas of what an application keeps to itself are thus registered under names of its own, and never under the names of
topics it only reads. What comes from the operator above stays written as it was there, so that it need not be written
again. Source: Kafka Streams passes the changelog's topic to the serdes of stores.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from msgspec import Struct
from msgspec.structs import replace

from stores import ValueCodec
from streams.graph.logical import LogicalGraph
from streams.graph.node import Node
from streams.graph.schema import Part, Schema
from streams.operators.repartition import Repartition
from streams.operators.sink import Sink
from streams.plan.names import changelog_topic
from streams.serde import Destination, Role, SchemaRegistry, Serde
from streams.state import StoreDeclaration

Known = Mapping[int, Serde]
"""By the id of the serde as it was declared: as it is bound."""


def bind_destinations(graph: LogicalGraph, application_id: str, registry: SchemaRegistry | None) -> LogicalGraph:
    """The graph in which every serde is bound. Raises ConfigError where one needs a registry and there is none."""
    known: dict[int, dict[int, Serde]] = {}  # by the id of the node as it is now

    def rewrite(node: Node, parents: tuple[Node, ...]) -> tuple[Node, ...]:
        own = node.topic if isinstance(node, Sink | Repartition) else None
        topic = own if isinstance(own, str) else f"{application_id}-{node.label}"
        inherited: dict[int, Serde] = {}
        if own is None:
            for parent in parents:
                inherited |= known[id(parent)]
        binding = _Binding(application_id, topic, registry, inherited)
        changed: dict[str, Any] = {} if parents == node.parents else {"parents": parents}
        for name in node.__struct_fields__:
            if name not in ("parents", "origin", "label"):
                before = getattr(node, name)
                after = binding.of(before, "value")
                if after is not before:
                    changed[name] = after
        result = replace(node, **changed) if changed else node
        known[id(result)] = binding.known
        return (result,)

    declared = tuple(
        _Binding(application_id, changelog_topic(application_id, store.name), registry, {}).of(store, "value")
        for store in graph.stores
    )
    return replace(graph.rewritten(rewrite), stores=declared)


class _Binding(Struct):
    """Binds what one node holds."""

    application_id: str
    topic: str
    registry: SchemaRegistry | None
    known: dict[int, Serde]

    def of(self, held: Any, role: Role) -> Any:
        """What a node holds, with its serdes bound; the same object where there is nothing to bind."""
        if isinstance(held, Serde):
            return self.serde(held, role)
        if isinstance(held, Schema):
            key, value = self.of(held.key, "key"), self.of(held.value, "value")
            return held if key is held.key and value is held.value else Schema(key, value)
        if isinstance(held, Part):
            serde = None if held.serde is None else self.serde(held.serde, role)
            return held if serde is held.serde else replace(held, serde=serde)
        if isinstance(held, StoreDeclaration):
            declaration = cast("StoreDeclaration[Any]", held)
            return self._with(declaration, {"spec": self.of, "key": self.of, "value": self.of})
        if isinstance(held, Struct):
            held_parts = held.__struct_fields__
            if "codec" in held_parts and "name" in held_parts:
                return self._with(
                    held, {"codec": self._codec(changelog_topic(self.application_id, cast(Any, held).name))}
                )
            if "serde" in held_parts:  # an aggregation
                return self._with(held, {"serde": self.of})
        return held

    def serde(self, serde: Serde, role: Role) -> Serde:
        if serde.bind is None:
            return serde
        bound = self.known.get(id(serde))
        if bound is None:
            bound = self.known[id(serde)] = serde.bound(Destination(self.topic, role, self.registry))
        return bound

    def _codec(self, changelog: str) -> Callable[[ValueCodec, Role], ValueCodec]:
        destination = Destination(changelog, "value", self.registry)
        return lambda codec, role: codec.bound(destination)

    def _with(self, held: Any, parts: Mapping[str, Callable[[Any, Role], Any]]) -> Any:
        changed: dict[str, Any] = {}
        for name, bind in parts.items():
            before = getattr(held, name)
            after = bind(before, "key" if name == "key" else "value")
            if after is not before:
                changed[name] = after
        return replace(held, **changed) if changed else held
