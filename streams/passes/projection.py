"""Reads only the fields somebody reads: with `validate_values="read"` a source's decoder is cut down to them.

A keyed count of flights then decodes one timestamp field. Fields that nobody reads are not checked either; that is the
bargain. A value that goes on as a whole (to a sink, a table, a user's function) is decoded as a whole.
"""

from __future__ import annotations

from msgspec.structs import replace

from streams.expressions import Expression
from streams.graph.function import UserFunction
from streams.graph.logical import LogicalGraph
from streams.graph.node import Node
from streams.operators.aggregate import AggregateByKey
from streams.operators.aggregation import CountAggregation, NamedAggregation
from streams.operators.branch import Branch, Split
from streams.operators.filter import Filter
from streams.operators.merge import Merge
from streams.operators.select_key import SelectKey
from streams.operators.source import Source
from streams.operators.window_aggregate import WindowAggregate
from streams.serde import project


def project_sources(graph: LogicalGraph) -> LogicalGraph:
    """The graph with every source's value serde cut down to the fields read from it, where that can be known."""

    def rewrite(node: Node, parents: tuple[Node, ...]) -> tuple[Node, ...]:
        if not isinstance(node, Source):
            return (replace(node, parents=parents),) if parents != node.parents else (node,)
        fields = _of_function(node.timestamp) if node.timestamp is not None else frozenset[str]()
        for child in graph.children(node):
            fields = _union(fields, _read_below(graph, child))
        smaller = None if fields is None else project(node.schema.value_serde(), fields)
        if smaller is None:
            return (node,)
        part = replace(node.schema.value, serde=smaller)
        return (replace(node, schema=node.schema.with_value(part)),)

    return graph.rewritten(rewrite)


def _read_below(graph: LogicalGraph, node: Node) -> frozenset[str] | None:
    """The fields of the value entering `node` that are read there or further down; None: the whole value."""
    if isinstance(node, Filter | SelectKey | Branch):
        function = node.predicate if isinstance(node, Filter | Branch) else node.selector
        fields = frozenset[str]() if function is None else _of_function(function)
        return _union(fields, _read_after(graph, node))
    if isinstance(node, Split | Merge):
        return _read_after(graph, node)
    if isinstance(node, AggregateByKey | WindowAggregate):
        aggregation = node.aggregation
        read = _read_late(graph, node)
        if isinstance(aggregation, CountAggregation):
            return read
        if isinstance(aggregation, NamedAggregation):
            for expression in aggregation.expressions:
                read = _union(read, expression.fields())
            return read
    return None


def _read_late(graph: LogicalGraph, node: Node) -> frozenset[str] | None:
    """The fields read of records that were too late for `node`."""
    fields: frozenset[str] | None = frozenset()
    for child in graph.children(node):
        if child.takes_late:
            fields = _union(fields, _read_after(graph, child))
    return fields


def _read_after(graph: LogicalGraph, node: Node) -> frozenset[str] | None:
    fields: frozenset[str] | None = frozenset()
    for child in graph.children(node):
        fields = _union(fields, _read_below(graph, child))
    return fields


def _of_function(function: UserFunction) -> frozenset[str] | None:
    target = function.target
    return target.fields() if isinstance(target, Expression) else None


def _union(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    return None if one is None or other is None else one | other
