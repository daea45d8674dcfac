"""What the families of a table's operators share: the place in the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from streams.dsl.builder import TopologyBuilder
from streams.dsl.missing_method import TellsMissingMethods
from streams.operators.table import Table

if TYPE_CHECKING:
    from streams.dsl.ktable import KTable

K = TypeVar("K")
V = TypeVar("V")


class TableHandle(TellsMissingMethods, Generic[K, V]):
    """A node of the graph and the builder that owns it. `KTable` adds the operators."""

    __slots__ = ("builder", "node")

    def __init__(self, builder: TopologyBuilder, node: Table) -> None:
        self.builder = builder
        self.node = node

    def _table(self, node: Table) -> KTable[Any, Any]:
        """The table that `node` makes."""
        from streams.dsl.ktable import KTable

        return KTable(self.builder, node)
