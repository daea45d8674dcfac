"""How records of a topic are written, as a topology says it or a test does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from streams.graph.schema import Part, Schema
from streams.operators.repartition import Repartition
from streams.operators.sink import Sink
from streams.plan.plan import Subtopology
from streams.serde import Destination, SchemaRegistry, Serde, serde_for


def written_schema(subtopologies: Iterable[Subtopology], topic: str) -> Schema:
    """How records of a topic are written: as its sink says, else as the sinks that choose their topic do, else as
    bytes."""
    chosen: Schema | None = None
    for subtopology in subtopologies:
        for node in subtopology.nodes:
            if isinstance(node, Sink | Repartition) and node.topic == topic:
                return node.schema
            if isinstance(node, Sink) and not isinstance(node.topic, str) and chosen is None:
                chosen = node.schema
    return chosen or Schema(Part(bytes), Part(bytes))


def serdes_of(registry: SchemaRegistry | None, name: str, schema: Schema, key: Any, value: Any) -> tuple[Serde, Serde]:
    """Of the topic `name`, bound to it."""
    keys = schema.key_serde() if key is None else serde_for(key, role="key")
    values = schema.value_serde() if value is None else serde_for(value, role="value")
    return keys.bound(Destination(name, "key", registry)), values.bound(Destination(name, "value", registry))
