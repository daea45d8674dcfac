"""A table's rows get a store."""

from __future__ import annotations

from typing import Any

from stores import KeyValueSpec, ValueCodec
from streams.dsl.builder import TopologyBuilder
from streams.graph.node import Node
from streams.graph.schema import Schema
from streams.operators.global_table import GlobalTable
from streams.operators.materialize import Materialize
from streams.operators.source import Source
from streams.state import StoreName


def materialize(
    builder: TopologyBuilder,
    parent: Node,
    schema: Schema,
    store: StoreName | None,
    kind: str,
    origin: Any,
    *,
    read_only: bool = False,
) -> Materialize:
    """Appends the operator that makes a table of `parent`'s records; its rows are kept if the store has a name, or
    somebody turns out to need them."""
    name = builder.store_name(store, parent, kind, origin)
    return builder.add(
        Materialize(
            parents=(parent,),
            schema=schema,
            origin=origin,
            label=name,
            spec=value_store(name, schema),
            kept=store is not None,
            read_only=read_only,
        )
    )


def global_table(
    builder: TopologyBuilder, topic: str, schema: Schema, store: StoreName | None, origin: Any
) -> GlobalTable:
    """Appends a table that every worker has as a whole."""
    name = builder.store_name(store, Source(topics=(topic,)), "global-table", origin)
    return builder.add(
        GlobalTable(schema=schema, origin=origin, label=name, topic=topic, spec=value_store(name, schema))
    )


def named_store(
    builder: TopologyBuilder, parent: Node, schema: Schema, store: StoreName | None, kind: str, origin: Any
) -> KeyValueSpec | None:
    """The store of a table that keeps one only if the user names it."""
    return None if store is None else value_store(builder.store_name(store, parent, kind, origin), schema)


def value_store(name: str, schema: Schema) -> KeyValueSpec:
    """A store for the values of records of that schema."""
    serde = schema.value_serde()
    return KeyValueSpec(name=name, codec=ValueCodec(encode=serde.serialize, decode=serde.deserialize))
