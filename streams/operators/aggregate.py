"""`count`, `reduce` and `aggregate` of a grouped stream: one aggregate per key."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from stores import KeyValueSpec
from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.expressions import Expression
from streams.graph.node import Node
from streams.graph.schema import Schema
from streams.operators.aggregation import Aggregation


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AggregateByKey(Node):
    """Source: `KStreamAggregate`, `KStreamReduce`.

    Null keys and null values are dropped and counted; no record is late. An aggregate of None deletes the row and is
    forwarded. The result's time is the largest among the aggregate's records.
    """

    kind: ClassVar[str] = "aggregate"
    needs_key: ClassVar[bool] = True

    group: Schema
    """Key and value as the group knows them; what a repartition topic before it is written with."""
    group_name: str
    spec: KeyValueSpec
    aggregation: Aggregation

    @property
    def store(self) -> KeyValueSpec:
        return self.spec

    @property
    def expressions(self) -> tuple[Expression, ...]:
        return self.aggregation.expressions

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        store = f"stores[{self.spec.name!r}]"
        dirty = chain.of_task("rows", f"{store}.dirty")
        get = chain.of_task("rows_get", f"{store}.dirty.get")
        load = chain.of_task("rows_load", f"{store}.load")
        scope, kb = chain.key_bytes_under(scope, self.group)
        scope, value = chain.value(scope)
        row = chain.local("row")
        with chain.block(f"if {kb} is None:"):
            chain.line("counters.dropped_null_key += 1")
        with chain.block(f"elif {value} is None:"):
            chain.line("counters.dropped_null_value += 1")
        with chain.block("else:"):
            chain.line(f"{row} = {get}({kb}, {chain.missing})")
            with chain.block(f"if {row} is {chain.missing}:"):
                chain.line(f"{row} = {load}({kb})")
            updated = self.aggregation.write_update(chain, scope.not_null_key(), row)
            new = f"({updated.state}, {updated.time})"
            if updated.nullable:
                new = f"None if {updated.state} is None else {new}"
            chain.line(f"{dirty}[{kb}] = {new}")
            forwarded = replace(updated.scope, timestamp=updated.time, schema=self.schema, value_bytes=None)
            if updated.result == updated.state:
                forwarded = replace(forwarded, value=updated.result, value_source=None)
            else:
                forwarded = replace(forwarded, value=None, value_source=updated.result)
            chain.forward(self, forwarded)
