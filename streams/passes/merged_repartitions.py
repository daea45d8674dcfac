"""Lets streams that branch off behind one change of the key go through one repartition topic.

    select_key ─┬─ filter ─ (topic 1) ─ count        select_key ─ (topic 1) ─┬─ filter ─ count
                └────────── (topic 2) ─ join   ──►                           └────────── join

The topic comes as far up as nothing but filters, branches and peeks lies between it and all who need it, and whoever
else hears the stream goes on hearing it before the topic. It is named after the first of those who share it.
Source: `InternalStreamsBuilder.maybeOptimizeRepartitionOperations` (`merge.repartition.topics`), where others who hear
the stream behind such a filter move behind the topic too, and no longer see null keys.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from streams.graph.logical import LogicalGraph
from streams.graph.node import Node
from streams.graph.schema import Schema
from streams.operators.branch import Branch, Split
from streams.operators.filter import Filter
from streams.operators.peek import Peek
from streams.operators.repartition import Repartition
from streams.operators.table_aggregate import AggregateTable
from streams.passes.repartitioning import TopicNames, key_changed, reaches_left_join, repartition_of, topic_of


def merge_repartitions(graph: LogicalGraph, application_id: str) -> LogicalGraph:
    """The graph with a topic for each group of operators that can share one; the others get theirs later."""
    topics: dict[int, Repartition] = {}  # by the operator the shared topic lies behind; not in the graph yet
    through: dict[int, int] = {}  # operators that are to hear the topic, and the one they hear now
    names = TopicNames(graph)
    for above, sharing in _groups(graph):
        _, schema = repartition_of(sharing[0])
        name = names.claim(sharing[0], application_id)
        topics[id(above)] = Repartition(
            schema=schema,
            origin=sharing[0].origin,
            label=f"{name}-repartition",
            topic=topic_of(name, application_id),
            keeps_null_keys=any(reaches_left_join(graph, node) for node in sharing),
        )
        through.update((id(_below(above, node)), id(above)) for node in sharing)
    made: dict[int, Repartition] = {}

    def rewrite(node: Node, parents: tuple[Node, ...]) -> tuple[Node, ...]:
        above = through.get(id(node))
        if above is None:
            return (replace(node, parents=parents),) if parents != node.parents else (node,)
        if above not in made:
            made[above] = replace(topics[above], parents=parents[:1])
        return made[above], replace(node, parents=(made[above], *parents[1:]))

    return graph.rewritten(rewrite)


def _groups(graph: LogicalGraph) -> Iterator[tuple[Node, list[Node]]]:
    """Operators behind which a topic can lie for several others, and those others."""
    needing = [
        node
        for node in graph.nodes
        if node.needs_key and not isinstance(node, AggregateTable) and key_changed(node.parents[0])
    ]
    ways = _Ways(graph, {id(node) for node in needing})
    groups: dict[int, tuple[Node, list[Node]]] = {}
    for node in needing:
        above = ways.highest(node)
        groups.setdefault(id(above), (above, []))[1].append(node)
    for above, members in groups.values():
        _, schema = repartition_of(members[0])
        sharing = [node for node in members if _alike(repartition_of(node)[1], schema)]
        if any(node.parents[0] is not above for node in sharing) and not _alike(schema, above.schema):
            continue
        if len(sharing) > 1:
            yield above, sharing


class _Ways:
    """How far up from an operator its topic can lie."""

    def __init__(self, graph: LogicalGraph, needing: set[int]) -> None:
        self._graph = graph
        self._needing = needing

    def highest(self, node: Node) -> Node:
        """The operator behind which the topic for `node` can lie, as far up as it goes; never within a split."""
        above = node.parents[0]
        while _passes_on(above) and self._all_need(above):
            further = above.parents[0]
            if isinstance(further, Split) and not self._all_need(further):
                break
            above = further
        return above

    def _all_need(self, node: Node) -> bool:
        """Whether all who hear `node` need the topic, or only pass on to such."""
        children = list(self._graph.children(node))
        return bool(children) and all(
            (id(child) in self._needing and child.parents[0] is node) or (_passes_on(child) and self._all_need(child))
            for child in children
        )


def _passes_on(node: Node) -> bool:
    """Whether records come out of it as they went in, if they do."""
    return isinstance(node, Filter | Peek | Branch | Split)


def _below(above: Node, node: Node) -> Node:
    """The one on the way from `above` to `node` that hears `above`."""
    while node.parents[0] is not above:
        node = node.parents[0]
    return node


def _alike(one: Schema, other: Schema) -> bool:
    """Whether records of both are written in the same form."""
    return one.key_serde() == other.key_serde() and one.value_serde() == other.value_serde()
