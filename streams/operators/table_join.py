"""Joins of two tables: each side reacts to its own changes and looks into the other.

A join is three operators: one for each side's changes, and one that brings their results together as a table.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from msgspec.structs import replace

from streams.compile.call import call
from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.graph.function import UserFunction
from streams.graph.node import Node, OldValues
from streams.graph.schema import Schema
from streams.operators.kept_rows import row_of
from streams.operators.table import Table, TableSpec, latest_only, table_of
from streams.operators.versioned_rows import rows_of

JoinKind = Literal["inner", "left", "outer"]


class TableJoinSide(Table, frozen=True, kw_only=True, eq=False):
    """Source: `KTableKTableInnerJoin`, `KTableKTableLeftJoin`, `KTableKTableRightJoin`, `KTableKTableOuterJoin`.

    Parents are the table whose changes it hears and the one it looks into. A change makes a result if the other table
    has a row; where that may be missing also if this side had or has a value, for which old values are needed. The
    joiner gets None for a side that may be missing; with both missing the result is None. The result's time is the
    later of the change's and the other row's. Of a versioned table only the latest versions count, on both sides.
    """

    kind: ClassVar[str] = "table-join-side"

    joiner: UserFunction
    join: JoinKind
    is_right: bool

    @property
    def heard_parents(self) -> tuple[Node, ...]:
        return self.parents[:1]

    @property
    def looks_into(self) -> tuple[Node, ...]:
        return self.parents[1:]

    @property
    def old_values(self) -> OldValues:
        return "needed" if self.other_may_miss else "ignored"

    @property
    def other_may_miss(self) -> bool:
        return self.join == "outer" or (self.join == "left" and not self.is_right)

    @property
    def this_may_miss(self) -> bool:
        return self.join == "outer" or (self.join == "left" and self.is_right)

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        with latest_only(chain, scope) as scope:
            self._write_change(chain, scope)

    def _write_change(self, chain: Chain, scope: RecordScope) -> None:
        other = table_of(self.parents[1])
        scope, kb = chain.key_bytes_under(scope, other.schema)
        scope, value = chain.value(scope.not_null_key())
        row = other.write_row(chain, scope, kb)
        condition = f"{row} is not None"
        if self.other_may_miss:
            condition += f" or {value} is not None or {scope.old_value} is not None"
        with chain.block(f"if {condition}:"):
            theirs, time = chain.local("other"), chain.local("join_time")
            if self.other_may_miss:
                with chain.block(f"if {row} is None:"):
                    chain.line(f"{theirs}, {time} = None, {scope.timestamp}")
                with chain.block("else:"):
                    chain.line(f"{theirs}, {time} = {row}")
                    self._write_later(chain, time, scope.timestamp)
            else:
                chain.line(f"{theirs}, {time} = {row}")
                self._write_later(chain, time, scope.timestamp)
            scope, new = self._write_joined(chain, scope, value, theirs)
            old: str | None = None
            if self.sends_old:
                scope, old = self._write_joined(chain, scope, str(scope.old_value), theirs)
            made = scope.with_new_value(scope.schema.with_value(self.schema.value), new)
            chain.forward(self, replace(made, timestamp=time, old_value=old))

    @staticmethod
    def _write_later(chain: Chain, time: str, other: str) -> None:
        with chain.block(f"if {other} > {time}:"):
            chain.line(f"{time} = {other}")

    def _write_joined(self, chain: Chain, scope: RecordScope, mine: str, theirs: str) -> tuple[RecordScope, str]:
        """The local with the joiner's result for one of this side's values, the new one or the old one."""
        sides = {"left": theirs, "right": mine} if self.is_right else {"left": mine, "right": theirs}
        seen, text = call(chain, scope, self.joiner, sides, hint="joiner")
        missing = [f"{mine} is None"] if not self.this_may_miss else []
        if self.join == "outer":
            missing = [f"{mine} is None and {theirs} is None"]
        joined = chain.local("joined")
        chain.line(f"{joined} = None if {missing[0]} else {text}" if missing else f"{joined} = {text}")
        return seen, joined


class TableJoin(Table, frozen=True, kw_only=True, eq=False):
    """Source: `KTableKTableJoinMerger`. Parents are the two sides; a store keeps the results if the user names it."""

    kind: ClassVar[str] = "table-join"
    called_by_key_bytes: ClassVar[bool] = True

    joiner: UserFunction
    join: JoinKind
    spec: TableSpec | None = None

    @property
    def store(self) -> TableSpec | None:
        return self.spec

    @property
    def knows_old(self) -> bool:
        return False  # the sides make old values by joining those of their tables

    @property
    def hears_old(self) -> bool:
        return self.sends_old

    @property
    def tables(self) -> tuple[Table, Table]:
        """The left and the right one."""
        left, right = self.parents
        return table_of(left.parents[0]), table_of(right.parents[0])

    @property
    def read_schema(self) -> Schema:
        return self.schema

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        if self.spec is None:
            chain.forward(self, scope)
            return
        scope, value = chain.value(scope.not_null_key())
        scope, kb = chain.key_bytes(scope)
        rows = rows_of(chain, self.spec)
        rows.write_change(chain, self, scope, kb, before=None, now=row_of(value, scope.timestamp))

    def write_row(self, chain: Chain, scope: RecordScope, kb: str, as_of: str | None = None) -> str:
        if self.spec is not None:
            return rows_of(chain, self.spec, "table").write_look_up(chain, kb, as_of)
        left, right = self.tables
        mine, theirs = left.write_row(chain, scope, kb), right.write_row(chain, scope, kb)
        joined = chain.local("row")
        needed = {
            "inner": f"{mine} is None or {theirs} is None",
            "left": f"{mine} is None",
            "outer": f"{mine} is None and {theirs} is None",
        }[self.join]
        with chain.block(f"if {needed}:"):
            chain.line(f"{joined} = None")
        with chain.block("else:"):
            sides = {
                "left": f"({mine} and {mine}[0])",
                "right": f"({theirs} and {theirs}[0])",
            }
            value = chain.local("joined")
            _, text = call(chain, scope, self.joiner, sides, hint="joiner")
            chain.line(f"{value} = {text}")
            times = f"max({mine}[1] if {mine} else -1, {theirs}[1] if {theirs} else -1)"
            chain.line(f"{joined} = {row_of(value, times)}")
        return joined
