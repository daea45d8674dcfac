"""A table read from a topic (`app.table`) or made of a stream (`to_table`): each key's newest value, in a store."""

from __future__ import annotations

from typing import ClassVar

from msgspec.structs import replace

from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.graph.node import Node
from streams.operators.kept_rows import row_of
from streams.operators.table import Table, TableSpec
from streams.operators.versioned_rows import rows_of


class Materialize(Table, frozen=True, kw_only=True, eq=False):
    """Source: `KTableSource`. The last record of a key wins, whatever its time; a null value deletes.

    Null keys are dropped and counted. A deletion is forwarded even for a key the table never had. `kept`: the rows are
    in a store, because the user named it or somebody looks into the table; else records only pass through.
    """

    kind: ClassVar[str] = "table"
    needs_key: ClassVar[bool] = True

    spec: TableSpec
    kept: bool
    read_only: bool = False
    """Processors that name the store may only read it."""

    @property
    def store(self) -> TableSpec | None:
        return self.spec if self.kept else None

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        scope, kb = chain.key_bytes(scope)
        with chain.block(f"if {kb} is None:"):
            chain.line("counters.dropped_null_key += 1")
        with chain.block("else:"):
            scope = scope.not_null_key()
            if not self.kept:
                chain.forward(self, scope)
                return
            rows = rows_of(chain, self.spec, "table_rows")
            scope, value = chain.value(scope)
            before: str | None = None
            if self.sends_old:
                before, old = rows.write_look_up(chain, kb), chain.local("old")
                chain.line(f"{old} = None if {before} is None else {before}[0]")
                scope = replace(scope, old_value=old)
            rows.write_change(chain, self, scope, kb, before=before, now=row_of(value, scope.timestamp))

    def write_row(self, chain: Chain, scope: RecordScope, kb: str, as_of: str | None = None) -> str:
        return rows_of(chain, self.spec, "table").write_look_up(chain, kb, as_of)
