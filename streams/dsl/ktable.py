"""`KTable`: the newest value of each key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from streams.dsl.builder import TopologyBuilder
from streams.graph.node import Node
from streams.graph.origin import caller_origin
from streams.operators.to_stream import ToStream

if TYPE_CHECKING:
    from streams.dsl.kstream import KStream

K = TypeVar("K")
V = TypeVar("V")


class KTable(Generic[K, V]):
    """An immutable handle on a table: read from a topic, made of a stream, or the result of an aggregation.

    Source: `org.apache.kafka.streams.kstream.KTable`.
    """

    __slots__ = ("builder", "node")

    def __init__(self, builder: TopologyBuilder, node: Node) -> None:
        self.builder = builder
        self.node = node

    def __repr__(self) -> str:
        return f"KTable({self.node.label})"

    @property
    def store_name(self) -> str | None:
        """The name under which the table's store can be queried."""
        return self.node.store.name if self.node.store is not None else None

    def to_stream(self, *, name: str | None = None) -> KStream[K, V]:
        """Every update of the table as a record; a deletion has a null value."""
        from streams.dsl.kstream import KStream

        node = ToStream(
            parents=(self.node,),
            schema=self.node.schema,
            origin=caller_origin(),
            label=self.builder.label(name, self.node, ToStream.kind),
        )
        return KStream(self.builder, self.builder.add(node))
