"""`count`, `reduce` and `aggregate` of a grouped stream: one aggregate per key."""

from __future__ import annotations

from typing import ClassVar

from msgspec.structs import replace

from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.expressions import Expression
from streams.graph.node import Node
from streams.graph.schema import Schema
from streams.operators.aggregation import Aggregation
from streams.operators.kept_rows import write_presented
from streams.operators.table import Table, TableSpec
from streams.operators.versioned_rows import rows_of


class AggregateByKey(Table, frozen=True, kw_only=True, eq=False):
    """Source: `KStreamAggregate`, `KStreamReduce`.

    Null keys and null values are dropped and counted; no record is late. An aggregate of None deletes the row and is
    forwarded. The result's time is the largest among the aggregate's records.
    """

    kind: ClassVar[str] = "aggregate"
    needs_key: ClassVar[bool] = True

    group: Schema
    """Key and value as the group knows them; what a repartition topic before it is written with."""
    group_name: str
    spec: TableSpec
    aggregation: Aggregation

    @property
    def store(self) -> TableSpec:
        return self.spec

    @property
    def expressions(self) -> tuple[Expression, ...]:
        return self.aggregation.expressions

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        rows = rows_of(chain, self.spec)
        scope, kb = chain.key_bytes_under(scope, self.group)
        scope, value = chain.value(scope)
        with chain.block(f"if {kb} is None:"):
            chain.line("counters.dropped_null_key += 1")
        with chain.block(f"elif {value} is None:"):
            chain.line("counters.dropped_null_value += 1")
        with chain.block("else:"):
            row = rows.write_look_up(chain, kb)
            updated = self.aggregation.write_update(
                chain, scope.not_null_key(), row, tell_old=self.sends_old, copy=self.copies_state
            )
            new = f"({updated.state}, {updated.time})"
            if updated.nullable:
                new = f"None if {updated.state} is None else {new}"
            is_state = updated.result == updated.state
            forwarded = replace(
                updated.scope,
                timestamp=updated.time,
                schema=self.schema,
                value=updated.result if is_state else None,
                value_source=None if is_state else updated.result,
                value_bytes=None,
                old_value=updated.old,
            )
            rows.write_change(
                chain,
                self,
                forwarded,
                kb,
                before=row,
                now=new,
                present=self.aggregation.write_present,
                changed_at=scope.timestamp,
            )

    def write_row(self, chain: Chain, scope: RecordScope, kb: str, as_of: str | None = None) -> str:
        return write_presented(
            chain, rows_of(chain, self.spec, "table").write_look_up(chain, kb, as_of), self.aggregation.write_present
        )
