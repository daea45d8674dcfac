"""`StreamJoined`: how a join of two streams keeps the records of its sides, where a name alone does not say enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stores import BufferSpec, WindowSpec
from streams.dsl.builder import TopologyBuilder
from streams.errors import SourceLine
from streams.graph.node import Node
from streams.serde.codec import codec_of
from streams.state import Materialized, StoreDeclaration
from streams.windows import JoinWindows

Origin = SourceLine | None


@dataclass(frozen=True, slots=True, eq=False)
class StreamJoined:
    """What `store=` of a join of streams takes beside a name: `store=StreamJoined("matches", persistent=False)`.

    Args:
        name: what the stores are named after: `<name>-left`, `<name>-right` and, for left and outer joins,
            `<name>-unmatched`. None: derived from the operator's place, as without `store=`.
        persistent: rows live in RocksDB, else in memory only, from where a restart restores them out of the changelog.
        logged: changes go to changelog topics. Without them rows that are lost with their disk stay lost, and with them
            the results they would have had.
        changelog: settings of the changelog topics, such as `{"segment.bytes": "1000000"}`; they count when the topics
            are made.
        left, right: stores of your own for the two sides, made by `Stores.window`: `retain_duplicates=True`, size
            before + after, retention before + after + grace. Keys and values are written as the streams say. What else
            is said here does not hold for them.

    Source: `org.apache.kafka.streams.kstream.StreamJoined`; serdes are told by the streams' own `key=` and `value=`,
    and `withName` is `name=` of the join.
    """

    name: str | None = None
    persistent: bool = field(default=True, kw_only=True)
    logged: bool = field(default=True, kw_only=True)
    changelog: Mapping[str, str] = field(default_factory=dict[str, str], kw_only=True)
    left: StoreDeclaration[Any] | None = field(default=None, kw_only=True)
    right: StoreDeclaration[Any] | None = field(default=None, kw_only=True)

    def sides(
        self, builder: TopologyBuilder, base: str, windows: JoinWindows, parents: tuple[Node, Node], origin: Origin
    ) -> tuple[WindowSpec, WindowSpec]:
        """The stores of the left and the right side, behind these operators; their names begin with `base`."""
        left, right = parents
        return (
            self._side(builder, f"{base}-left", windows, left, self.left, origin),
            self._side(builder, f"{base}-right", windows, right, self.right, origin),
        )

    def unmatched(self, builder: TopologyBuilder, base: str, parent: Node, origin: Origin) -> BufferSpec:
        """The store of the records that met none."""
        name = builder.store_name(self._said(f"{base}-unmatched"), parent, "join", origin)
        return BufferSpec(name=name, lanes=2, persistent=self.persistent, logged=self.logged)

    def _side(
        self,
        builder: TopologyBuilder,
        name: str,
        windows: JoinWindows,
        parent: Node,
        own: StoreDeclaration[Any] | None,
        origin: Origin,
    ) -> WindowSpec:
        serde = parent.schema.value_serde()
        said = self._said(name) if own is None else _declared(own)
        spec = WindowSpec(
            name=builder.store_name(said, parent, "join", origin),
            codec=codec_of(serde),
            size_ms=windows.size_ms,
            retention_ms=windows.retention_ms,
            persistent=said.persistent is not False,
            logged=said.logged,
            duplicates=True,
            access="key",
        )
        if own is None:
            return spec
        kept = own.spec
        if not isinstance(kept, WindowSpec):
            builder.problem(
                f"store {own.name!r} is a {kept.kind} store, but a join of streams needs window stores", origin
            )
            return spec
        for what, found, needed in (
            ("retain_duplicates is", kept.duplicates, True),
            ("size in ms is", kept.size_ms, windows.size_ms),
            ("retention in ms is", kept.retention_ms, windows.retention_ms),
        ):
            if found != needed:
                builder.problem(f"store {own.name!r}: its {what} {found}, but the join's windows need {needed}", origin)
        return spec

    def _said(self, name: str) -> Materialized:
        return Materialized(name, persistent=self.persistent, logged=self.logged, changelog=self.changelog)


def _declared(own: StoreDeclaration[Any]) -> Materialized:
    """What a declaration says of how its rows are kept."""
    return Materialized(own.name, persistent=own.spec.persistent, logged=own.spec.logged, changelog=own.changelog)
