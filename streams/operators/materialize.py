"""A table read from a topic (`app.table`) or made of a stream (`to_table`): each key's newest value, in a store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from stores import KeyValueSpec
from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.graph.node import Node


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Materialize(Node):
    """Source: `KTableSource`. The last record of a key wins, whatever its time; a null value deletes.

    Null keys are dropped and counted. A deletion is forwarded even for a key the table never had.
    """

    kind: ClassVar[str] = "table"
    needs_key: ClassVar[bool] = True

    spec: KeyValueSpec

    @property
    def store(self) -> KeyValueSpec:
        return self.spec

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        dirty = chain.of_task("table_rows", f"stores[{self.spec.name!r}].dirty")
        scope, kb = chain.key_bytes(scope)
        with chain.block(f"if {kb} is None:"):
            chain.line("counters.dropped_null_key += 1")
        with chain.block("else:"):
            scope, value = chain.value(scope.not_null_key())
            chain.line(f"{dirty}[{kb}] = None if {value} is None else ({value}, {scope.timestamp})")
            chain.forward(self, scope)
