"""`count`, `reduce` and `aggregate` of a grouped table: old values are taken out of their group, new ones put in."""

from __future__ import annotations

from typing import ClassVar

from msgspec.structs import replace

from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.expressions import Expression
from streams.graph.node import Node
from streams.graph.schema import Schema
from streams.operators.kept_rows import write_presented
from streams.operators.table import Table, TableSpec
from streams.operators.table_aggregation import TableAggregation
from streams.operators.versioned_rows import rows_of


class AggregateTable(Table, frozen=True, kw_only=True, eq=False):
    """Source: `KTableAggregate`, `KTableReduce`.

    A change's old value is subtracted first, then its new value added, with one result for both. Without an aggregate
    nothing is subtracted, yet the result, None, is forwarded. A result of None deletes the row. The result's time is
    the later of the old result's and the record's.
    """

    kind: ClassVar[str] = "table-aggregate"
    needs_key: ClassVar[bool] = True

    group: Schema
    """Key and change as the repartition topic before it is written with."""
    group_name: str
    value: Schema
    """Key and value that the functions get, one of the two in a change."""
    spec: TableSpec
    aggregation: TableAggregation

    @property
    def store(self) -> TableSpec:
        return self.spec

    @property
    def expressions(self) -> tuple[Expression, ...]:
        return self.aggregation.expressions

    @property
    def read_schema(self) -> Schema:
        return self.value

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        rows = rows_of(chain, self.spec)
        scope, kb = chain.key_bytes_under(scope, self.group)
        with chain.block(f"if {kb} is None:"):
            chain.line("counters.dropped_null_key += 1")
        with chain.block("else:"):
            scope, change = chain.value(scope.not_null_key())
            new, old = chain.local("new"), chain.local("old")
            chain.line(f"{new}, {old} = {change}")
            row = rows.write_look_up(chain, kb)
            seen = replace(scope, schema=self.value)
            updated = self.aggregation.write_change(
                chain, seen, row, new, old, tell_old=self.sends_old, copy=self.copies_state
            )
            forwarded = replace(
                updated.scope,
                schema=self.schema,
                timestamp=updated.time,
                value=updated.result,
                value_source=None,
                value_bytes=None,
                old_value=updated.old,
            )
            rows.write_change(
                chain,
                self,
                forwarded,
                kb,
                before=row,
                now=f"None if {updated.state} is None else ({updated.state}, {updated.time})",
                present=self.aggregation.write_present,
                changed_at=scope.timestamp,
            )

    def write_row(self, chain: Chain, scope: RecordScope, kb: str, as_of: str | None = None) -> str:
        row = rows_of(chain, self.spec, "table").write_look_up(chain, kb, as_of)
        return write_presented(chain, row, self.aggregation.write_present)
