"""Makes one source of several streams of the same topics, so that each record is read and decoded once.

Source: `InternalStreamsBuilder.mergeDuplicateSourceNodes`, where a topic may not be that of two tables either.
"""

from __future__ import annotations

from msgspec.structs import replace

from streams.errors import TopologyProblem
from streams.expressions import Expression
from streams.graph.logical import LogicalGraph
from streams.graph.node import Node
from streams.operators.global_table import GlobalTable
from streams.operators.source import Source


def merge_sources(graph: LogicalGraph) -> LogicalGraph:
    """Streams that agree become one; a topic declared in two different ways, or as two tables, is a problem."""
    by_topic: dict[str, Source] = {}
    global_topics: dict[str, GlobalTable] = {}
    problems: list[TopologyProblem] = []

    def rewrite(node: Node, parents: tuple[Node, ...]) -> tuple[Node, ...]:
        if isinstance(node, GlobalTable):
            if node.topic in global_topics:
                problems.append(_read_twice(node.topic, global_topics[node.topic], node))
            global_topics[node.topic] = node
            return (node,)
        if not isinstance(node, Source):
            return (replace(node, parents=parents),) if parents != node.parents else (node,)
        known = next((by_topic[topic] for topic in node.topics if topic in by_topic), None)
        if known is None:
            by_topic.update(dict.fromkeys(node.topics, node))
            return (node,)
        if not _agree(known, node):
            problems.append(_read_twice(", ".join(node.topics), known, node))
        return (known,)

    merged = graph.rewritten(rewrite)
    for topic in by_topic.keys() & global_topics.keys():
        problems.append(_read_twice(topic, by_topic[topic], global_topics[topic]))
    return merged.with_problems(*problems)


def _read_twice(topic: str, first: Node, second: Node) -> TopologyProblem:
    tables = isinstance(first, Source) and isinstance(second, Source) and first.role == second.role == "table"
    return TopologyProblem(
        message=f"topic {topic!r} is read twice {'as a table' if tables else 'in different ways'} (first at "
        f"{first.origin}): declare it once and use the handle twice",
        origin=second.origin,
    )


def _agree(one: Source, other: Source) -> bool:
    return (
        set(one.topics) == set(other.topics)
        and one.role == other.role == "stream"
        and one.schema.key.type == other.schema.key.type
        and one.schema.value.type == other.schema.value.type
        and _timestamp(one) == _timestamp(other)
        and one.invalid_timestamp == other.invalid_timestamp
        and one.reset == other.reset
    )


def _timestamp(source: Source) -> object:
    """What two equal ways to find event time have in common; expressions on `F` compare by how they read."""
    if source.timestamp is None:
        return None
    target = source.timestamp.target
    return repr(target) if isinstance(target, Expression) else target
