"""What all operators that make a table have in common: they forward changes, and their rows can be looked up."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from msgspec.structs import replace

from stores import KeyValueSpec, VersionedSpec
from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.graph.node import Node

TableSpec = KeyValueSpec | VersionedSpec
"""A store with one row per key, or with the versions of each key's row."""


class Table(Node, frozen=True, kw_only=True, eq=False):
    """An operator whose output is a table.

    A change is a record with the new value (None deletes the key) and, if `sends_old`, the value that was there before
    as `scope.old_value`. A pass sets the three flags (`streams.passes.changes`).

    A change of a versioned table need not be its key's latest version; `scope.latest` tells. Its old value is the
    latest version before the change, whatever the change's own time.
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
        return self.store is not None and not isinstance(self.store, VersionedSpec)

    @property
    def versions(self) -> VersionedSpec | None:
        """The store by which the table's rows are known as of a time; None: the table is not versioned.

        A table without a store of its own that changes rows one by one is as versioned as the one it is made of; any
        other operator makes a plain table, unless it has a versioned store. Source: KIP-914,
        `InternalStreamsBuilder.isVersionedUpstream`.
        """
        return self.store if isinstance(self.store, VersionedSpec) else None

    @property
    def by_window(self) -> bool:
        """Whether the rows are kept by key and window, where only the operator itself finds them."""
        if self.store is not None:
            return not isinstance(self.store, TableSpec)
        return any(isinstance(parent, Table) and parent.by_window for parent in self.heard_parents)

    def write_row(self, chain: Chain, scope: RecordScope, kb: str, as_of: str | None = None) -> str:
        """Code that looks the table's row up under the key of `scope`, whose serialised form is the local `kb`.

        `as_of`: the text of a time in ms; the row is the version of that time. Only for versioned tables.
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


def versions_above(table: Table) -> VersionedSpec | None:
    """`Table.versions` of an operator that changes its parent's rows one by one, if it keeps none of its own."""
    if table.store is None:
        return table_of(table.parents[0]).versions
    return table.store if isinstance(table.store, VersionedSpec) else None


@contextmanager
def latest_only(chain: Chain, scope: RecordScope) -> Generator[RecordScope]:
    """The block that only changes to their keys' latest versions reach, for operators that follow a table as it is now.

    Source: KIP-914, `useVersionedSemantics` of `KTableRepartitionMap`, `KTableKTableInnerJoin` and their like.
    """
    if scope.latest is None:
        yield scope
        return
    with chain.block(f"if not {scope.latest}:"):
        chain.line("counters.dropped_out_of_order += 1")
    with chain.block("else:"):
        yield replace(scope, latest=None)
