"""What all operators that make a table have in common: they forward changes, and their rows can be looked up."""

from __future__ import annotations

from dataclasses import dataclass, replace

from stores import KeyValueSpec
from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.graph.node import Node


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table(Node):
    """An operator whose output is a table.

    A change is a record with the new value (None deletes the key) and, if `sends_old`, the value that was there before
    as `scope.old_value`. A pass sets the three flags (`streams.passes.changes`).
    """

    sends_old: bool = False
    """Somebody downstream needs to know what each change replaces."""
    at_commit: bool = False
    """Changes are forwarded at the commit, each key's last one, and not as they come."""
    copies_state: bool = False
    """An aggregate is shared with somebody who keeps it, so that a user's function may only have a copy to change."""

    @property
    def knows_old(self) -> bool:
        """Whether the operator has a store of its own that old values can be taken from."""
        return self.store is not None

    @property
    def collapses(self) -> bool:
        """Whether changes may be held back for the commit."""
        return self.store is not None

    @property
    def by_window(self) -> bool:
        """Whether the rows are kept by key and window, where only the operator itself finds them."""
        if self.store is not None:
            return not isinstance(self.store, KeyValueSpec)
        return any(isinstance(parent, Table) and parent.by_window for parent in self.heard_parents)

    def write_row(self, chain: Chain, scope: RecordScope, kb: str) -> str:
        """Code that looks the table's row up under the key of `scope`, whose serialised form is the local `kb`.

        Returns a local that holds (value as users see it, timestamp), or None if the key has no row.
        """
        raise TypeError(f"the rows of {type(self).__name__} cannot be looked up")


def table_of(node: Node) -> Table:
    """The node as the table the declaration made sure it is."""
    if not isinstance(node, Table):
        raise TypeError(f"{node.label or type(node).__name__} is not a table")
    return node


def row_scope(chain: Chain, scope: RecordScope, table: Table, row: str) -> tuple[RecordScope, str]:
    """The scope in which functions see a looked-up row as their record, and the local of its value."""
    value = chain.local("value")
    chain.line(f"{value} = {row}[0]")
    seen = scope.with_new_value(scope.schema.with_value(table.schema.value), value)
    return replace(seen, timestamp=f"{row}[1]"), value
