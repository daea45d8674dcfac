"""What all renderings of a sub-topology start from: its steps by name, and what leads to what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from streams.errors import SourceLine
from streams.graph.node import Node
from streams.operators.repartition import Repartition
from streams.operators.sink import Sink
from streams.operators.source import Source
from streams.plan.plan import Subtopology


class Step(Struct, frozen=True, kw_only=True):
    """One box. A repartition is a sink in the sub-topology above it and a source in the one below."""

    name: str
    role: Literal["source", "processor", "sink"]
    operator: str
    topics: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()
    successors: tuple[str, ...] = ()
    predecessors: tuple[str, ...] = ()
    origin: SourceLine | None = None


def steps(subtopology: Subtopology) -> Iterator[Step]:
    """The steps of a sub-topology, parents before children."""
    members = subtopology.nodes
    read = {source.topic for source in subtopology.sources}
    written = {sink.topic for sink in subtopology.repartition_sinks}

    def before(node: Node) -> tuple[str, ...]:
        return tuple(_name(parent, "source") for parent in node.heard_parents if any(parent is m for m in members))

    def after(node: Node) -> tuple[str, ...]:
        children = (child for child in members if any(parent is node for parent in child.heard_parents))
        return tuple(_name(child, "sink") for child in children)

    for node in members:
        if isinstance(node, Source):
            yield Step(
                name=_name(node, "source"),
                role="source",
                operator=node.kind,
                origin=node.origin,
                topics=node.topics,
                successors=after(node),
            )
        elif isinstance(node, Repartition):
            if node.topic in written:
                yield Step(
                    name=_name(node, "sink"),
                    role="sink",
                    operator=node.kind,
                    origin=node.origin,
                    topics=(node.topic,),
                    predecessors=before(node),
                )
            if node.topic in read:
                yield Step(
                    name=_name(node, "source"),
                    role="source",
                    operator=node.kind,
                    origin=node.origin,
                    topics=(node.topic,),
                    successors=after(node),
                )
        elif isinstance(node, Sink):
            topic = node.topic if isinstance(node.topic, str) else f"chosen by {node.topic.name}"
            yield Step(
                name=_name(node, "sink"),
                role="sink",
                operator=node.kind,
                origin=node.origin,
                topics=(topic,),
                predecessors=before(node),
            )
        else:
            kept = node.connected_stores if node.store is None else (node.store.name, *node.connected_stores)
            yield Step(
                name=_name(node, "sink"),
                role="processor",
                operator=node.kind,
                origin=node.origin,
                stores=tuple(
                    dict.fromkeys(
                        [*kept, *node.connected_stores, *(name for table in node.looks_into for name in _stores(table))]
                    )
                ),
                successors=after(node),
                predecessors=before(node),
            )


def _stores(table: Node) -> Iterator[str]:
    """The stores in which a lookup into `table` ends."""
    if table.store is not None:
        yield table.store.name
    else:
        for above in [*table.heard_parents, *table.looks_into]:
            yield from _stores(above)


def _name(node: Node, side: str) -> str:
    return f"{node.label}-{side}" if isinstance(node, Repartition) else node.label
