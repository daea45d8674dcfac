"""`map_values` of a table: each row with another value."""

from __future__ import annotations

from typing import ClassVar

from stores import VersionedSpec
from streams.compile.call import call
from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.graph.function import UserFunction
from streams.graph.node import Node
from streams.operators.kept_rows import replaced, row_of
from streams.operators.table import Table, TableSpec, row_scope, table_of, versions_above
from streams.operators.versioned_rows import rows_of


class TableMapValues(Table, frozen=True, kw_only=True, eq=False):
    """Source: `KTableMapValues`.

    The mapper is not called for null values. Where old values are needed and no store keeps them, it is called for
    the old value too; a result of None deletes the row.
    """

    kind: ClassVar[str] = "table-map-values"

    mapper: UserFunction
    spec: TableSpec | None = None

    @property
    def store(self) -> TableSpec | None:
        return self.spec

    @property
    def versions(self) -> VersionedSpec | None:
        return versions_above(self)

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        scope, value = chain.value(scope)
        seen, text = call(chain, scope, self.mapper, hint="mapper")
        new = chain.local("value")
        chain.line(f"{new} = None if {value} is None else {text}")
        old: str | None = None
        if self.spec is None:
            if self.sends_old:
                old = chain.local("old")
                replaced_value = str(scope.old_value)
                seen, text = call(chain, seen.with_new_value(scope.schema, replaced_value), self.mapper, hint="mapper")
                chain.line(f"{old} = None if {replaced_value} is None else {text}")
            chain.forward(self, replaced(seen, self, new, old))
            return
        rows = rows_of(chain, self.spec)
        seen, kb = chain.key_bytes(seen)
        before: str | None = None
        if self.sends_old:
            before, old = rows.write_look_up(chain, kb), chain.local("old")
            chain.line(f"{old} = None if {before} is None else {before}[0]")
        made = replaced(seen, self, new, old)
        rows.write_change(chain, self, made, kb, before=before, now=row_of(new, scope.timestamp))

    def write_row(self, chain: Chain, scope: RecordScope, kb: str, as_of: str | None = None) -> str:
        if self.spec is not None:
            return rows_of(chain, self.spec, "table").write_look_up(chain, kb, as_of)
        table = table_of(self.parents[0])
        row, mapped = table.write_row(chain, scope, kb, as_of), chain.local("value")
        with chain.block(f"if {row} is not None:"):
            seen, _ = row_scope(chain, scope, table, row)
            _, text = call(chain, seen, self.mapper, hint="mapper")
            chain.line(f"{mapped} = {text}")
            chain.line(f"{row} = None if {mapped} is None else ({mapped}, {row}[1])")
        return row
