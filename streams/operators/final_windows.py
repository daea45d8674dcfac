"""`emit="close"` for windows whose ends are known from time alone: each comes out once, when it is closed.

Which windows are due is looked up in the store: their ends lie between how far emission has come and the clock less
the grace. The next due time is the end of the next window there may be, as long as any is open.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec import Struct

from stores import Row
from streams.compile.chain import Chain
from streams.compile.clock import ClockEvent, on_clock, remembered_time
from streams.compile.scope import RecordScope
from streams.windows.duration import FOREVER

if TYPE_CHECKING:
    from streams.operators.windowed_aggregate import AggregateByWindow

WindowRow = tuple[tuple[bytes, int], Row]
"""((serialised key, window start in ms), row)."""


class FinalWindows(Struct, frozen=True):
    """The texts that an operator's code needs: what is to be done when time has come, the cell of the time through
    which windows have come out, and that of the latest end of any window."""

    event: ClockEvent
    emitted: str
    latest: str
    grace_ms: int

    @classmethod
    def of(cls, chain: Chain, node: AggregateByWindow) -> FinalWindows:
        """Writes the function that emits what is due; once for each operator."""
        windows = node.windows
        grace = windows.grace_ms
        emitted = node.emitted_through(chain)
        next_end = chain.bind(windows.next_end, "next_end")
        latest = remembered_time(chain, f"{node.spec.name}/latest", "latest")
        due = chain.cell("due", str(FOREVER))
        # While no window is open nothing is due: nobody has to look, or to wait for what may still come.
        settle = f"{due} = {next_end}({emitted}) + {grace} if {latest} > {emitted} else {FOREVER}"
        chain.module.restored.append(settle)
        # Where a user's function failed in the middle, and the record that moved the clock was skipped, the next call
        # goes on behind the window that failed.
        done = chain.cell("done", "(-1, b'')")

        def write(body: Chain, scope: RecordScope) -> None:
            fetch = body.of_task("fetch_closed", f"stores[{node.spec.name!r}].fetch_all")
            starts = body.bind(windows.starts_of_ends, "starts_of_ends")
            through, rows, kb, start, row = (body.local(hint) for hint in ("through", "rows", "kb", "start", "row"))
            state, time = body.local("state"), body.local("row_time")
            body.line(f"{through} = now - {grace}")
            ordered = rows if windows.segment_ms else f"{body.bind(by_start, 'by_start')}({rows})"
            with (
                body.block(f"with {fetch}(*{starts}({emitted}, {through})) as {rows}:"),
                body.block(f"for ({kb}, {start}), {row} in {ordered}:"),
                body.block(f"if ({start}, {kb}) > {done}:"),
            ):
                body.line(f"{done} = {start}, {kb}")
                body.line(f"{state}, {time} = {row}")
                key = body.deserialize(node.group.key_serde(), kb)
                end = f"{body.bind(windows.end_of, 'end_of')}({start})"
                final = node.windowed(body, scope, key, kb, start, end, time)
                node.write_final(body, final, state)
            body.line(f"{done} = (-1, b'')")
            body.line(f"{emitted} = {through}")
            body.line(settle)

        return cls(on_clock(chain, node, node.clock(chain), due, "close_windows", write), emitted, latest, grace)

    def write_open(self, chain: Chain, end: str) -> None:
        """To stand where a window that ends at `end` got a row it did not have."""
        with chain.block(f"if {end} > {self.latest}:"):
            chain.line(f"{self.latest} = {end}")
        with chain.block(f"if {end} + {self.grace_ms} < {self.event.due}:"):
            chain.line(f"{self.event.due} = {end} + {self.grace_ms}")

    def write_closed(self, chain: Chain, closed: str) -> str:
        """The local of the time through which windows are closed: by the clock, and by having come out."""
        local = chain.local("closed_through")
        chain.line(f"{local} = {closed}")
        with chain.block(f"if {local} < {self.emitted}:"):
            chain.line(f"{local} = {self.emitted}")
        return local


def by_start(rows: Iterable[WindowRow]) -> list[WindowRow]:
    """Rows in order of start, then key bytes."""
    return sorted(rows, key=start_and_key)


def start_and_key(row: WindowRow) -> tuple[int, bytes]:
    key, start = row[0]
    return start, key
