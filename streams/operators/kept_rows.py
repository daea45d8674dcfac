"""Code that reads and writes the rows of an operator's key-value store, and forwards what changed."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from stores import KeyValueSpec
from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.operators.held_changes import Present, by_key, write_held
from streams.operators.table import Table


class KeptRows(Struct, frozen=True):
    """The names under which generated code finds the rows of one store.

    Of a plain store it reads and writes the dirty rows itself. A store that has a say in what is found (rows that
    expire or are evicted, a store of the user's own) is asked for each row: `dirty` and `load` are empty then.
    """

    dirty: str
    get: str
    load: str
    put: str = ""

    @classmethod
    def of(cls, chain: Chain, spec: KeyValueSpec, hint: str = "rows") -> KeptRows:
        """Binds the names for the task."""
        store = f"stores[{spec.name!r}]"
        if not spec.is_plain:
            get, put = chain.of_task(f"{hint}_get", f"{store}.get"), chain.of_task(f"{hint}_put", f"{store}.put")
            return cls("", get, "", put)
        return cls(
            chain.of_task(hint, f"{store}.dirty"),
            chain.of_task(f"{hint}_get", f"{store}.dirty.get"),
            chain.of_task(f"{hint}_load", f"{store}.load"),
        )

    def write_look_up(self, chain: Chain, kb: str, as_of: str | None = None) -> str:
        """Code that reads the row of a key that is not null; the local that holds it. There is no row of a time."""
        if as_of is not None:
            raise TypeError("only versioned stores know the row of a time")
        row = chain.local("row")
        if self.put:
            chain.line(f"{row} = {self.get}({kb})")
            return row
        chain.line(f"{row} = {self.get}({kb}, {chain.missing})")
        with chain.block(f"if {row} is {chain.missing}:"):
            chain.line(f"{row} = {self.load}({kb})")
        return row

    def write_change(
        self,
        chain: Chain,
        table: Table,
        scope: RecordScope,
        kb: str,
        *,
        before: str | None,
        now: str,
        present: Present | None = None,
        changed_at: str | None = None,
    ) -> None:
        """Code that sets the row under `kb` to `now` and forwards `scope`, at once or at the commit.

        Args:
            before: the local of the row as it was; None if the operator had no need to look it up.
            present: for a store whose rows hold something else than what users see.
            changed_at: the text of the time of the record that changes the row, where it is not that of `scope`. A
                deletion that waits for the commit comes out with it, since its row has no time.
        """
        scope = replace(scope, latest=None)
        if not table.at_commit:
            chain.line(f"{self.put}({kb}, {now})" if self.put else f"{self.dirty}[{kb}] = {now}")
            chain.forward(table, scope)
            return
        if before is None:
            before = self.write_look_up(chain, kb)
        after = chain.local("after")
        if self.put:
            chain.line(f"{after} = {now}")
            chain.line(f"{self.put}({kb}, {after})")
        else:
            chain.line(f"{after} = {self.dirty}[{kb}] = {now}")
        changed = scope if changed_at is None else replace(scope, timestamp=changed_at)
        write_held(chain, table, changed, by_key(present), key=kb, before=before, now=after)


def write_presented(chain: Chain, row: str, present: Present) -> str:
    """Code that turns a looked-up row into one with the value users see; the local that holds it."""
    state = chain.local("state")
    with chain.block(f"if {row} is not None:"):
        chain.line(f"{state} = {row}[0]")
        text = present(chain, state)
        chain.line("pass" if text == state else f"{row} = ({text}, {row}[1])")
    return row


def row_of(value: str, timestamp: str) -> str:
    """The text of a row with that value, or of none where the value is None."""
    return f"None if {value} is None else ({value}, {timestamp})"


def replaced(scope: RecordScope, table: Table, value: str, old: str | None) -> RecordScope:
    """The scope behind a table's operator that made the locals `value` and `old` of a change."""
    made = scope.with_new_value(scope.schema.with_value(table.schema.value), value)
    return replace(made, old_value=old if table.sends_old else None)
