"""The logical graph: every operator of a topology in the order of declaration."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from streams.errors import SourceLine, TopologyProblem
from streams.graph.node import Node
from streams.state import Materialized, StoreDeclaration

AnyNode = TypeVar("AnyNode", bound=Node)


class LogicalGraph(Struct, frozen=True):
    """Frozen nodes, parents before children, what was said of stores, and the problems found so far."""

    nodes: tuple[Node, ...] = ()
    problems: tuple[TopologyProblem, ...] = ()
    stores: tuple[StoreDeclaration[Any], ...] = ()
    materialized: Mapping[str, Materialized] = field(default_factory=dict[str, Materialized])
    """What was said of the stores of operators, by their names, where a name alone did not do."""

    def children(self, node: Node) -> Iterator[Node]:
        """Those that take the node's output, in the order of declaration."""
        return (child for child in self.nodes if any(parent is node for parent in child.parents))

    def ancestors(self, node: Node) -> Iterator[Node]:
        """The node and all it is fed from, nearest first, each once."""
        seen: set[int] = set()
        queue = [node]
        while queue:
            current = queue.pop(0)
            if id(current) not in seen:
                seen.add(id(current))
                yield current
                queue.extend(current.parents)

    def rewritten(self, rewrite: Callable[[Node, tuple[Node, ...]], tuple[Node, ...]]) -> LogicalGraph:
        """A new graph in which each node became what `rewrite` returns for it.

        `rewrite(node, parents)` gets the node and its parents as they now are and returns the nodes to stand in its
        place, the last of them being what the node's children are fed from. An empty tuple drops the node.
        """
        nodes: list[Node] = []
        now: dict[int, Node] = {}
        for node in self.nodes:
            produced = rewrite(node, tuple(now[id(parent)] for parent in node.parents))
            nodes.extend(new for new in produced if not any(new is old for old in nodes))
            if produced:
                now[id(node)] = produced[-1]
        return replace(self, nodes=tuple(nodes))

    def with_problems(self, *problems: TopologyProblem) -> LogicalGraph:
        return replace(self, problems=self.problems + problems)


class GraphBuilder:
    """The one mutable thing of a declaration: handles of the DSL append nodes and problems to it."""

    def __init__(self) -> None:
        self._nodes: list[Node] = []
        self._problems: list[TopologyProblem] = []
        self._declared: list[StoreDeclaration[Any]] = []
        self._materialized: dict[str, Materialized] = {}

    def add(self, node: AnyNode) -> AnyNode:
        self._nodes.append(node)
        return node

    def declare(self, store: StoreDeclaration[Any]) -> bool:
        """Takes in a store for processors; False if it is known already."""
        if any(store is known for known in self._declared):
            return False
        self._declared.append(store)
        return True

    def materialize(self, name: str, store: Materialized) -> None:
        """Takes in how an operator's store of that name is to be kept."""
        self._materialized[name] = store

    def materialized(self, name: str) -> Materialized | None:
        """What was said of an operator's store, if anything."""
        return self._materialized.get(name)

    def problem(self, message: str, origin: SourceLine | None) -> None:
        """Notes a mistake of the declaration; `build()` reports all of them at once."""
        self._problems.append(TopologyProblem(message=message, origin=origin))

    def graph(self) -> LogicalGraph:
        return LogicalGraph(tuple(self._nodes), tuple(self._problems), tuple(self._declared), dict(self._materialized))
