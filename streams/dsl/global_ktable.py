"""`GlobalKTable`: a table of which every worker has all rows."""

from __future__ import annotations

from typing import Generic, TypeVar

from streams.dsl.builder import TopologyBuilder
from streams.dsl.missing_method import TellsMissingMethods
from streams.operators.global_table import GlobalTable

K = TypeVar("K")
V = TypeVar("V")


class GlobalKTable(TellsMissingMethods, Generic[K, V]):
    """An immutable handle on a global table; streams join with it by any key, without a repartition.

    Every worker reads the whole topic before its tasks start, and keeps it up to date after that; joins see what it has
    at the moment, whatever the stream's time. Source: `org.apache.kafka.streams.kstream.GlobalKTable`.
    """

    __slots__ = ("builder", "node")

    def __init__(self, builder: TopologyBuilder, node: GlobalTable) -> None:
        self.builder = builder
        self.node = node

    def __repr__(self) -> str:
        return f"GlobalKTable({self.node.label})"

    @property
    def store_name(self) -> str:
        """The name of the store that holds the rows."""
        return self.node.spec.name
