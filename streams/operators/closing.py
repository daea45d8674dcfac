"""`emit="close"` for windows whose ends follow from their records: sliding windows and sessions.

An `Agenda` of the open windows says which are due. It is filled as windows are made, and from the store after a
restart.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from msgspec import Struct

from streams.compile.chain import Chain
from streams.compile.clock import ClockEvent, on_clock
from streams.compile.scope import RecordScope
from streams.operators.agenda import Agenda
from streams.operators.window_aggregate import WindowAggregate


class EntryNames(NamedTuple):
    """The names of an agenda and of the parts of the entry that was taken from it."""

    agenda: str
    due: str
    start: str
    key_bytes: str


class Closing(Struct, frozen=True):
    """Texts for an operator's code: what emits due windows, the name of the agenda, and the cell of the time before
    which windows have come out."""

    event: ClockEvent
    agenda: str
    emitted: str

    @classmethod
    def of(
        cls,
        chain: Chain,
        node: WindowAggregate,
        *,
        closed_after: int,
        open_windows: str,
        write: Callable[[Chain, RecordScope, EntryNames], None],
    ) -> Closing:
        """Writes the function that emits what is due; once for each operator.

        Args:
            closed_after: a window is closed when its end < clock - closed_after, ms.
            open_windows: the text of a list of agenda entries made from the store, `{closed}` standing for the time
                before which windows have come out.
            write: writes the lines that emit one window.
        """
        emitted = node.emitted_through(chain)
        agenda = chain.of_task("agenda", f"{chain.bind(Agenda, 'Agenda')}()")
        chain.module.restored.append(f"{agenda}.refill({open_windows.replace('{closed}', emitted)})")

        def emit(body: Chain, scope: RecordScope) -> None:
            entry, due, start, kb = (body.local(hint) for hint in ("entry", "due", "start", "kb"))
            # Each is taken off before it is forwarded: where a user's function fails and the record that moved the
            # clock is skipped, the next call goes on behind it.
            with body.block(f"while ({entry} := {agenda}.take(now)) is not None:"):
                body.line(f"{due}, {start}, {kb} = {entry}")
                write(body, scope, EntryNames(agenda, due, start, kb))
            body.line(f"{emitted} = now - {closed_after}")

        event = on_clock(chain, node, node.clock(chain), f"{agenda}.due", "close_windows", emit)
        return cls(event, agenda, emitted)

    def write_not_before(self, chain: Chain, closed: str) -> None:
        """What has come out is closed, even if the clock was turned back."""
        with chain.block(f"if {closed} < {self.emitted}:"):
            chain.line(f"{closed} = {self.emitted}")
