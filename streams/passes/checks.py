"""What must hold of a whole topology before it is compiled; every problem is found, none is raised here."""

from __future__ import annotations

from collections.abc import Iterator

from stores import BufferSpec
from streams.errors import TopologyProblem
from streams.graph.logical import LogicalGraph
from streams.operators.repartition import Repartition
from streams.operators.source import Source


def check(graph: LogicalGraph) -> LogicalGraph:
    """The graph with the problems of `graph` as a whole added to those of its declaration."""
    return graph.with_problems(
        *_empty(graph), *_unserializable(graph), *_misread(graph), *_unknown_stores(graph), *_same_repartitions(graph)
    )


def _empty(graph: LogicalGraph) -> Iterator[TopologyProblem]:
    if not any(isinstance(node, Source) for node in graph.nodes):
        yield TopologyProblem(
            message="the topology reads no topic: begin with app.stream(topic) or app.table(topic)", origin=None
        )


def _unserializable(graph: LogicalGraph) -> Iterator[TopologyProblem]:
    """A type nobody can write, found before the first record; told of the operator it comes from."""
    for node in graph.nodes:
        above = [parent.schema for parent in node.parents]
        for find, part in ((node.schema.key_serde, "key"), (node.schema.value_serde, "value")):
            if any(getattr(schema, part) == getattr(node.schema, part) for schema in above):
                continue
            try:
                find()
            except (TypeError, ValueError) as error:
                yield TopologyProblem(message=str(error), origin=node.origin)


def _unknown_stores(graph: LogicalGraph) -> Iterator[TopologyProblem]:
    """Names of stores that processors use and nobody keeps."""
    kept = [node.store for node in graph.nodes if node.store is not None]
    known = {store.name for store in graph.stores}
    known |= {store.name for store in kept if not isinstance(store, BufferSpec)}  # its rows mean nothing outside
    for node in graph.nodes:
        for name in node.connected_stores:
            if name not in known:
                have = ", ".join(map(repr, sorted(known))) or "none"
                yield TopologyProblem(
                    message=f"{node.label} uses a store {name!r}, but the topology has {have}: declare it with "
                    "app.add_store(Stores.…)",
                    origin=node.origin,
                )


def _misread(graph: LogicalGraph) -> Iterator[TopologyProblem]:
    """Expressions on fields that the records do not have."""
    for node in graph.nodes:
        read = node.read_schema
        for expression in node.expressions:
            for message in expression.problems(read.value.type, read.key.type):
                yield TopologyProblem(message=message, origin=node.origin)


def _same_repartitions(graph: LogicalGraph) -> Iterator[TopologyProblem]:
    """Repartition topics of one name, written by different streams."""
    known: dict[str, Repartition] = {}
    for node in graph.nodes:
        if isinstance(node, Repartition):
            first = known.setdefault(node.topic, node)
            if first is not node:
                yield TopologyProblem(
                    message=f"the repartition topic {node.topic!r} is already that of another stream (at "
                    f"{first.origin}): give the group or repartition another name",
                    origin=node.origin,
                )
