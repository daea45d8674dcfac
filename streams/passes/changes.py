"""Decides what tables tell of their changes, and when.

*Old values.* Operators that cannot do without them (grouping a table, the open sides of table-table joins) have them
told by the tables above, down to the nearest store; a source table gets a store for that. A filter uses them where
that takes no store more, which spares the tombstones of rows that were not there before. Operators are asked in the
order of declaration, so a filter declared before its source had a reason to keep rows does without.
Source: `KTableImpl.enableSendingOldValues` and its overrides.

*Stores.* A source table nobody looks into and nobody named keeps no rows.

*Copies.* An aggregate goes downstream as the object that lies in the store. Where somebody keeps it (old values, or
another store, an older version), a user's function that changes its aggregate in place would change what they keep;
there it gets a copy. Aggregates of numbers and strings are never copied.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from stores import VersionedSpec
from streams.graph.logical import LogicalGraph
from streams.graph.node import Node
from streams.operators.materialize import Materialize
from streams.operators.repartition import Repartition
from streams.operators.suppress import Suppress
from streams.operators.table import Table, table_of


def settle_changes(graph: LogicalGraph, *, at_commit: bool = False) -> LogicalGraph:
    """The graph with the flags of all tables set. `at_commit`: tables with a store forward changes at the commit,
    unless their `Materialized` says otherwise."""
    asked = _Asked()
    for node in graph.nodes:
        for table in node.looks_into:
            asked.keep(table)
        if node.old_values == "needed":
            for parent in node.heard_parents:
                asked.old_values(parent, force=True)
        elif node.old_values == "welcome":
            parents = [asked.old_values(parent, force=False) for parent in node.heard_parents]
            if all(parents):
                asked.telling.add(id(node))

    def rewrite(node: Node, parents: tuple[Node, ...]) -> tuple[Node, ...]:
        changed: dict[str, Any] = {}
        if parents != node.parents:
            changed["parents"] = parents
        if isinstance(node, Materialize) and id(node) in asked.kept and not node.kept:
            changed["kept"] = True
        if isinstance(node, Suppress) and id(node) in asked.kept:
            changed["looked_into"] = True
        if isinstance(node, Table):
            if id(node) in asked.telling:
                changed["sends_old"] = True
            if node.collapses or changed.get("kept"):
                changed["at_commit"] = _cached(graph, replace(node, **changed), at_commit)
            if asked.shares_values(graph, node) or isinstance(node.store, VersionedSpec):
                changed["copies_state"] = True
        return (replace(node, **changed),) if changed else (node,)

    return graph.rewritten(rewrite)


def _cached(graph: LogicalGraph, table: Table, default: bool) -> bool:
    """Whether the table's changes wait for the commit."""
    said = None if table.store is None else graph.materialized.get(table.store.name)
    return default if said is None or said.caching is None else said.caching


class _Asked:
    """What operators asked of the tables above them so far, by the ids of the tables."""

    def __init__(self) -> None:
        self.telling: set[int] = set()
        self.kept: set[int] = set()

    def keep(self, table: Node) -> None:
        """The rows of `table` are looked up: those without a store of their own are made of those above."""
        if isinstance(table, Materialize):
            self.kept.add(id(table))
        elif isinstance(table, Suppress):
            self.kept.add(id(table))
            for parent in table.heard_parents:
                self.keep(parent)
                self.old_values(parent, force=True)
        elif table.store is None:
            for parent in table.heard_parents:
                self.keep(parent)

    def old_values(self, table: Node, *, force: bool) -> bool:
        """Has `table` tell old values, with a new store only if `force`; whether it does."""
        if id(table) in self.telling:
            return True
        if isinstance(table, Materialize):
            if not force and not table.kept and id(table) not in self.kept:
                return False
            self.kept.add(id(table))
        elif not table_of(table).knows_old:
            told = [self.old_values(parent, force=force) for parent in table.heard_parents]
            if not all(told):
                return False
        self.telling.add(id(table))
        return True

    def shares_values(self, graph: LogicalGraph, table: Table) -> bool:
        """Whether an object that `table` forwards may be kept by somebody else."""
        if id(table) in self.telling:
            return True
        queue, seen = list(graph.children(table)), set[int]()
        while queue:
            node = queue.pop()
            if id(node) in seen or isinstance(node, Repartition | Suppress):
                continue  # only bytes go on
            seen.add(id(node))
            if node.store is not None or id(node) in self.kept or id(node) in self.telling:
                return True
            queue.extend(graph.children(node))
        return False
