"""Gives the inner join of a stream with itself one store instead of two.

    stream ─┬─ left  (store) ─┐                stream ─── self-join (store) ─── join
            └─ right (store) ─┴─ join   ──►

Both sides would keep the same records. The store is the left side's. Source: KIP-862,
`InternalStreamsBuilder.rewriteSelfJoin` (`single.store.self.join`).
"""

from __future__ import annotations

from msgspec.structs import replace

from streams.graph.logical import LogicalGraph
from streams.graph.node import Node
from streams.operators.stream_join import StreamJoin, StreamJoinSide
from streams.operators.stream_self_join import StreamSelfJoin


def share_self_join_stores(graph: LogicalGraph) -> LogicalGraph:
    """The graph with one operator, and one store, for the two sides of each such join."""
    joins: dict[int, StreamJoin] = {}  # by their sides
    for node in graph.nodes:
        if isinstance(node, StreamJoin) and node.join == "inner":
            sides = node.parents
            if len({id(side.parents[0]) for side in sides}) == 1:
                joins.update((id(side), node) for side in sides)
    made: dict[int, StreamSelfJoin] = {}  # by the join

    def rewrite(node: Node, parents: tuple[Node, ...]) -> tuple[Node, ...]:
        join = joins.get(id(node))
        if isinstance(node, StreamJoinSide) and join is not None:
            if id(join) not in made:
                made[id(join)] = StreamSelfJoin(
                    parents=parents,
                    schema=node.schema,
                    origin=node.origin,
                    label=f"{join.label}-self",
                    spec=node.spec,
                    joiner=node.joiner,
                    windows=node.windows,
                )
            return (made[id(join)],)
        if id(node) in {id(join) for join in joins.values()}:
            parents = parents[:1]
        return (replace(node, parents=parents),) if parents != node.parents else (node,)

    return graph.rewritten(rewrite)
