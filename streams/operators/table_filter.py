"""`filter` and `filter_not` of a table: rows the predicate does not hold for are deleted from the result."""

from __future__ import annotations

from typing import ClassVar

from stores import VersionedSpec
from streams.compile.call import call
from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.graph.function import UserFunction
from streams.graph.node import Node, OldValues
from streams.operators.kept_rows import replaced, row_of
from streams.operators.table import Table, TableSpec, row_scope, table_of, versions_above
from streams.operators.versioned_rows import rows_of


class TableFilter(Table, frozen=True, kw_only=True, eq=False):
    """Source: `KTableFilter`.

    The predicate is not called for null values. A change of nothing to nothing is not forwarded where old values are
    known, which the operator asks for if that takes no store of its own; else a tombstone is forwarded every time.
    Behind a versioned table it is always forwarded, because it may be a version before others (KIP-914).
    """

    kind: ClassVar[str] = "table-filter"

    predicate: UserFunction
    negate: bool = False
    spec: TableSpec | None = None

    @property
    def store(self) -> TableSpec | None:
        return self.spec

    @property
    def old_values(self) -> OldValues:
        return "welcome"

    @property
    def versions(self) -> VersionedSpec | None:
        return versions_above(self)

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        scope, value = chain.value(scope)
        scope, kept = self._kept(chain, scope, value)
        new = chain.local("value")
        chain.line(f"{new} = {kept}")
        if not self.sends_old:
            self._forward(chain, scope, new, None, None)
            return
        old = chain.local("old")
        before: str | None = None
        if self.spec is not None:
            scope, kb = chain.key_bytes(scope)
            before = rows_of(chain, self.spec).write_look_up(chain, kb)
            chain.line(f"{old} = None if {before} is None else {before}[0]")
        else:
            scope, kept = self._kept(chain, scope, str(scope.old_value))
            chain.line(f"{old} = {kept}")
        if table_of(self.parents[0]).versions is not None:
            self._forward(chain, scope, new, old, before)
            return
        with chain.block(f"if {new} is not None or {old} is not None:"):
            self._forward(chain, scope, new, old, before)

    def _forward(self, chain: Chain, scope: RecordScope, new: str, old: str | None, before: str | None) -> None:
        made = replaced(scope, self, new, old)
        if self.spec is None:
            chain.forward(self, made)
            return
        made, kb = chain.key_bytes(made)
        rows = rows_of(chain, self.spec)
        rows.write_change(chain, self, made, kb, before=before, now=row_of(new, scope.timestamp))

    def _kept(self, chain: Chain, scope: RecordScope, value: str) -> tuple[RecordScope, str]:
        """The text of the local `value` if the predicate holds for it, else of None."""
        seen, condition = call(chain, scope.with_new_value(scope.schema, value), self.predicate, hint="predicate")
        holds = f"not {condition}" if self.negate else condition
        return seen, f"{value} if {value} is not None and {holds} else None"

    def write_row(self, chain: Chain, scope: RecordScope, kb: str, as_of: str | None = None) -> str:
        if self.spec is not None:
            return rows_of(chain, self.spec, "table").write_look_up(chain, kb, as_of)
        table = table_of(self.parents[0])
        row = table.write_row(chain, scope, kb, as_of)
        with chain.block(f"if {row} is not None:"):
            seen, _ = row_scope(chain, scope, table, row)
            _, condition = call(chain, seen, self.predicate, hint="predicate")
            with chain.block(f"if {condition}:" if self.negate else f"if not {condition}:"):
                chain.line(f"{row} = None")
        return row
