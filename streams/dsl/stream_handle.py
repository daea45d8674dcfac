"""What the families of a stream's operators share: the place in the graph, and how to go on from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from streams.dsl.builder import TopologyBuilder
from streams.dsl.missing_method import TellsMissingMethods
from streams.dsl.schemas import key_after
from streams.errors import SourceLine
from streams.graph.function import user_function
from streams.graph.logical import AnyNode
from streams.graph.node import Node
from streams.graph.schema import Schema
from streams.operators.select_key import SelectKey

if TYPE_CHECKING:
    from streams.dsl.kstream import KStream

K = TypeVar("K")
V = TypeVar("V")


class StreamHandle(TellsMissingMethods, Generic[K, V]):
    """A node of the graph and the builder that owns it. `KStream` adds the operators, family by family."""

    __slots__ = ("_builder", "_node")

    def __init__(self, builder: TopologyBuilder, node: Node) -> None:
        self._builder = builder
        self._node = node

    def _stream(self, node: Node) -> KStream[Any, Any]:
        """The stream of what `node` forwards."""
        from streams.dsl.kstream import KStream

        return KStream(self._builder, node)

    def _then(
        self, kind: Callable[..., AnyNode], name: str | None, origin: SourceLine | None, schema: Schema, **fields: Any
    ) -> AnyNode:
        """Appends an operator of `kind` behind this stream; `fields` are its own."""
        label = self._builder.label(name, self._node, cast(type[Node], kind).kind)
        return self._builder.add(kind(parents=(self._node,), schema=schema, origin=origin, label=label, **fields))

    def _select_key(self, operator: str, selector: Any, key: Any, name: str | None, origin: Any) -> Node:
        function = user_function(self._builder, operator, selector, ("key", "value"), origin=origin)
        return self._builder.add(
            SelectKey(
                parents=(self._node,),
                schema=self._node.schema.with_key(key_after(self._builder, self._node.schema, function, key, origin)),
                origin=origin,
                label=self._builder.label(name, self._node, SelectKey.kind),
                selector=function,
            )
        )
