"""Puts a repartition before each operator that works key by key on a stream whose key was changed.

Source: `KStreamImpl.repartitionForJoin` and `GroupedStreamAggregateBuilder`; the rules are in semantics of KIP-221.
"""

from __future__ import annotations

from msgspec.structs import replace

from streams.dsl.naming import chain_name
from streams.graph.logical import LogicalGraph
from streams.graph.node import Node
from streams.graph.schema import Schema
from streams.operators.aggregate import AggregateByKey
from streams.operators.global_table_join import GlobalTableJoin
from streams.operators.materialize import Materialize
from streams.operators.repartition import Repartition
from streams.operators.source import Source
from streams.operators.stream_join import StreamJoin, StreamJoinSide
from streams.operators.stream_table_join import StreamTableJoin
from streams.operators.table_aggregate import AggregateTable
from streams.operators.window_aggregate import WindowAggregate


def key_changed(node: Node) -> bool:
    """Whether the records `node` forwards may lie in another partition than their key says.

    What works key by key has them where they belong, also where its repartition is not in the graph yet.
    """
    if node.changes_key:
        return True
    if node.needs_key or isinstance(node, Repartition | Source):
        return False
    return any(key_changed(parent) for parent in node.heard_parents)


def insert_repartitions(graph: LogicalGraph, application_id: str) -> LogicalGraph:
    """The graph with its repartition topics in place; operators that name one topic for one stream share it."""
    shared: dict[tuple[int, str], Node] = {}
    names = TopicNames(graph)

    def rewrite(node: Node, parents: tuple[Node, ...]) -> tuple[Node, ...]:
        if isinstance(node, Repartition):
            keeps = node.keeps_null_keys or reaches_left_join(graph, node)
            return (replace(node, parents=parents, keeps_null_keys=keeps),)
        if not node.needs_key or not key_changed(parents[0]):
            return (replace(node, parents=parents),) if parents != node.parents else (node,)
        base, schema = repartition_of(node)
        through = shared.get((id(parents[0]), base))
        if through is None:
            name = names.claim(node, application_id)
            through = shared[id(parents[0]), base] = Repartition(
                parents=parents[:1],
                schema=schema,
                origin=node.origin,
                label=f"{name}-repartition",
                topic=topic_of(name, application_id),
                keeps_null_keys=reaches_left_join(graph, node),
            )
        return through, replace(node, parents=(through, *parents[1:]))

    return graph.rewritten(rewrite)


def repartition_of(node: Node) -> tuple[str, Schema]:
    """What the repartition topic before `node` is named after, and how it is written."""
    if isinstance(node, AggregateByKey | WindowAggregate | AggregateTable):
        return node.group_name, node.group
    if isinstance(node, Materialize):
        return node.spec.name, node.schema
    if isinstance(node, StreamJoinSide):
        return node.topic_name or f"{chain_name(node.parents[0])}-join", node.parents[0].schema
    return f"{chain_name(node.parents[0])}-{node.kind}", node.parents[0].schema


def topic_of(name: str, application_id: str) -> str:
    return f"{application_id}-{name}-repartition"


class TopicNames:
    """Names of repartition topics. One that only follows from a join's place in its chain is not given to two streams:
    where a chain changes its key again, the next one gets `-2`. A name that the user gave twice stays as it is."""

    def __init__(self, graph: LogicalGraph) -> None:
        self._taken = {node.topic for node in graph.nodes if isinstance(node, Repartition)}

    def claim(self, node: Node, application_id: str) -> str:
        """What the topic before `node` is named after."""
        base, _ = repartition_of(node)
        name = base
        if isinstance(node, StreamTableJoin) or (isinstance(node, StreamJoinSide) and node.topic_name is None):
            number = 1
            while topic_of(name, application_id) in self._taken:
                number += 1
                name = f"{base}-{number}"
        self._taken.add(topic_of(name, application_id))
        return name


def reaches_left_join(graph: LogicalGraph, node: Node) -> bool:
    """Whether a join that accepts null keys lies anywhere downstream: then the topic has to keep them."""
    return any(
        _accepts_null_keys(other) and any(above is node for above in graph.ancestors(other)) for other in graph.nodes
    )


def _accepts_null_keys(node: Node) -> bool:
    if isinstance(node, StreamTableJoin | GlobalTableJoin):
        return node.left
    return isinstance(node, StreamJoin) and node.join != "inner"
