"""A table's rows get a store."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from stores import KeyValueSpec, ValueCodec, VersionedSpec
from streams.dsl.builder import TopologyBuilder
from streams.errors import SourceLine
from streams.graph.node import Node
from streams.graph.schema import Part, Schema
from streams.operators.global_table import GlobalTable
from streams.operators.materialize import Materialize
from streams.operators.source import Source
from streams.operators.table import TableSpec
from streams.processors import Processor
from streams.processors.supplier import ProcessorSupplier, is_supplier
from streams.serde.codec import codec_of
from streams.state import Materialized, StoreDeclaration, StoreName


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
            spec=table_spec(store, name, codec_of(schema.value_serde())),
            kept=store is not None,
            read_only=read_only,
        )
    )


def global_table(
    builder: TopologyBuilder, topic: str, schema: Schema, store: StoreName | None, origin: Any
) -> GlobalTable:
    """Appends a table that every worker has as a whole."""
    refuse_versions(builder, store, "a global table keeps each key's newest value", origin)
    name = builder.store_name(store, Source(topics=(topic,)), "global-table", origin)
    return builder.add(
        GlobalTable(
            schema=schema,
            origin=origin,
            label=name,
            topic=topic,
            spec=KeyValueSpec(name=name, codec=codec_of(schema.value_serde())),
        )
    )


def global_store(
    builder: TopologyBuilder,
    topic: str,
    store: str | StoreDeclaration[Any],
    key: Any,
    value: Any,
    processor: Any,
    origin: SourceLine | None,
) -> None:
    """Appends a store that its user declared, filled by a topic in every worker. Null `processor`: with its rows."""
    if isinstance(store, str):
        builder.problem(
            f"add_global_store with a processor needs the store's declaration (Stores.key_value({store!r}, …)): "
            "the processor says what is put into it",
            origin,
        )
        return
    if processor is not None and not is_supplier(processor, Processor):
        builder.problem(
            "add_global_store needs a Processor: its class, a function without arguments that makes one, or an "
            f"instance; got {processor!r}",
            origin,
        )
        return
    spec = store.spec
    name = builder.store_name(store.name, Source(topics=(topic,)), "global-store", origin)
    if isinstance(spec, KeyValueSpec) and (spec.expire_after_ms is not None or spec.max_entries is not None):
        builder.problem(
            f"store {name!r}: rows of a global store cannot go by ttl or max_entries: it belongs to no task whose time "
            "they could follow, and has the rows of its topic",
            origin,
        )
    if processor is None and not isinstance(spec, KeyValueSpec):
        builder.problem(
            f"store {name!r} is a {spec.kind} store, into which records cannot be put as they come: give "
            "add_global_store a processor= that does it",
            origin,
        )
    declared = Schema(Part(store.key.type, store.key), Part(store.value.type, store.value))
    builder.add(
        GlobalTable(
            schema=builder.schema(key, value, declared, origin),
            origin=origin,
            label=name,
            topic=topic,
            spec=spec,
            declaration=store,
            supplier=None if processor is None else ProcessorSupplier(processor, Processor),
        )
    )


def named_store(
    builder: TopologyBuilder, parent: Node, schema: Schema, store: StoreName | None, kind: str, origin: Any
) -> TableSpec | None:
    """The store of a table that keeps one only if the user names it."""
    if store is None:
        return None
    return table_spec(store, builder.store_name(store, parent, kind, origin), codec_of(schema.value_serde()))


def table_spec(store: StoreName | None, name: str, codec: ValueCodec) -> TableSpec:
    """The store called `name` that `store` describes."""
    if not isinstance(store, Materialized) or store.history_retention is None:
        return KeyValueSpec(name=name, codec=codec)
    history_ms = max(store.history_retention // timedelta(milliseconds=1), 0)
    return VersionedSpec(name=name, codec=codec, history_ms=history_ms, follows_puts=False)


def refuse_versions(builder: TopologyBuilder, store: StoreName | None, why: str, origin: SourceLine | None) -> None:
    """Notes a problem if a store that cannot be versioned was to be so."""
    if isinstance(store, Materialized) and store.history_retention is not None:
        builder.problem(f"{why}, not versions: leave out history_retention", origin)
