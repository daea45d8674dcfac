"""A table's rows get a store."""

from __future__ import annotations

from typing import Any

from stores import KeyValueSpec, ValueCodec
from streams.dsl.builder import TopologyBuilder
from streams.graph.node import Node
from streams.graph.schema import Schema
from streams.operators.materialize import Materialize


def materialize(
    builder: TopologyBuilder, parent: Node, schema: Schema, store: str | None, kind: str, origin: Any
) -> Materialize:
    """Appends the operator that keeps a table's newest values in a store."""
    serde = schema.value_serde()
    name = builder.store_name(store, parent, kind, origin)
    return builder.add(
        Materialize(
            parents=(parent,),
            schema=schema,
            origin=origin,
            label=name,
            spec=KeyValueSpec(name=name, codec=ValueCodec(encode=serde.serialize, decode=serde.deserialize)),
        )
    )
