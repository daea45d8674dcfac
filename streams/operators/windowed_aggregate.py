"""`count`, `reduce` and `aggregate` over tumbling, hopping, calendar and unlimited windows."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import ClassVar

from stores import WindowSpec
from streams.compile.chain import Chain
from streams.compile.clock import Clock
from streams.compile.scope import RecordScope
from streams.graph.node import Node
from streams.operators.final_windows import FinalWindows
from streams.operators.held_changes import Held, write_held
from streams.operators.window_aggregate import PACK_START, WindowAggregate
from streams.windowed import Windowed
from streams.windows.aligned import AlignedWindows
from streams.windows.calendar_windows import CalendarWindows
from streams.windows.duration import FOREVER
from streams.windows.time_windows import TimeWindows
from streams.windows.unlimited_windows import UnlimitedWindows


class AggregateByWindow(WindowAggregate, frozen=True, kw_only=True, eq=False):
    """Source: `KStreamWindowAggregate`.

    A window is late, and skipped alone, when its end <= clock - grace. Windows of one record come oldest first; those
    that close at once by start, then key bytes.
    """

    kind: ClassVar[str] = "window-aggregate"

    spec: WindowSpec
    windows: AlignedWindows

    @property
    def closes_ms(self) -> int:
        return self.windows.grace_ms

    @property
    def open_ms(self) -> int:
        return min(self.windows.longest_ms + self.windows.grace_ms, FOREVER)

    def end_of(self, start: int) -> int:
        """The end, exclusive, of the window that starts at `start`."""
        return min(self.windows.end_of(start), FOREVER)

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        clock, final = self._prepared(chain)
        scope, kb = chain.key_bytes_under(scope, self.group)
        scope = self.write_drops(chain, scope, kb, accepts_null=self.aggregation.accepts_null)
        ts = scope.timestamp
        with chain.block("else:"):
            scope = scope.not_null_key()
            now = self.write_clock(chain, clock, ts)
            closed = f"{now} - {self.windows.grace_ms}"
            if final is not None:
                closed = final.write_closed(chain, closed)
            with chain.text.more_follows(final is not None), self._windows_of(chain, scope, ts) as (inner, start, end):
                self._write_window(chain, inner, kb, start, end, closed, final)
            if final is not None:
                final.event.write_check(chain)

    def _prepared(self, chain: Chain) -> tuple[Clock, FinalWindows | None]:
        """The operator's clock, which also tells the store the time, and what emits windows that are closed."""
        known = chain.module.states.get((self.clock_name, "parts"))
        if known is None:
            final = FinalWindows.of(chain, self) if self.emit == "close" else None
            clock = self.clock(chain)
            known = chain.module.states[self.clock_name, "parts"] = clock, final
            # A window store's time is the start of the newest window, as Kafka Streams' stores have it; here it follows
            # from the clock and not from what was put, so that a held-back clock keeps the rows it still needs.
            newest = self._newest_start(chain, clock.now)
            if newest is not None:
                self.tell_store(chain, newest, final and final.event)
        return known

    def _newest_start(self, chain: Chain, now: str) -> str | None:
        """The text of the newest start that is not after the time `now`; None where nothing is ever forgotten."""
        windows = self.windows
        if isinstance(windows, TimeWindows):
            if windows.offset_ms:
                since = f"({now} - {windows.offset_ms})"
                return f"{since} // {windows.advance_ms} * {windows.advance_ms} + {windows.offset_ms}"
            return f"{now} // {windows.advance_ms} * {windows.advance_ms}"
        if isinstance(windows, CalendarWindows):
            return f"{now} and {chain.bind(windows.window_at, 'window_at')}(max({now}, 0))[0]"
        return None

    @contextmanager
    def _windows_of(self, chain: Chain, scope: RecordScope, ts: str) -> Generator[tuple[RecordScope, str, str]]:
        """The block that is run for each window of a record; texts of the window's start and end."""
        windows, start = self.windows, chain.local("start")
        if isinstance(windows, TimeWindows) and windows.advance_ms == windows.size_ms:
            size, offset = windows.size_ms, windows.offset_ms
            if offset:
                chain.line(f"{start} = {ts} - ({ts} - {offset}) % {size}")
                with chain.block(f"if {start} >= 0:"):
                    yield scope, start, f"{start} + {size}"
            else:
                chain.line(f"{start} = {ts} - {ts} % {size}")
                yield scope, start, f"{start} + {size}"
        elif isinstance(windows, TimeWindows):
            size, advance, offset = windows.size_ms, windows.advance_ms, windows.offset_ms
            scope, _ = chain.value(scope)  # decoded once, above the loop over the windows
            scope, _ = chain.key(scope)
            since = f"{ts} - {offset + size - advance}"
            first = f"max(0, {since}) // {advance} * {advance}" + (f" + {offset}" if offset else "")
            with chain.block(f"for {start} in range({first}, {ts} + 1, {advance}):"):
                yield scope, start, f"{start} + {size}"
        elif isinstance(windows, UnlimitedWindows):
            with chain.block(f"if {ts} >= {windows.start_ms}:"):
                chain.line(f"{start} = {windows.start_ms}")
                yield scope, start, f"{FOREVER}"
        elif isinstance(windows, CalendarWindows):
            # The task keeps the window that was asked for last: neighbours in time are mostly in the same one.
            start_cell, end_cell = self._last_window(chain)
            with chain.block(f"if not {start_cell} <= {ts} < {end_cell}:"):
                chain.line(f"{start_cell}, {end_cell} = {chain.bind(windows.window_at, 'window_at')}({ts})")
            chain.line(f"{start} = {start_cell}")
            yield scope, start, end_cell
        else:
            raise TypeError(f"no code for {type(windows).__name__}")

    def _last_window(self, chain: Chain) -> tuple[str, str]:
        cells = chain.module.states.get((self.clock_name, "window"))
        if cells is None:
            cells = chain.cell("window_start", "0"), chain.cell("window_end", "0")
            chain.module.states[self.clock_name, "window"] = cells
        return cells

    def _write_window(
        self, chain: Chain, scope: RecordScope, kb: str, start: str, end: str, closed: str, final: FinalWindows | None
    ) -> None:
        if isinstance(self.windows, UnlimitedWindows):
            self._write_update(chain, scope, kb, start, end, final)
            return
        with chain.block(f"if {end} <= {closed}:"):
            chain.line("counters.dropped_late += 1")
            if self.has_late_stream(chain):
                self._write_late_window(chain, scope, start)
        with chain.block("else:"):
            self._write_update(chain, scope, kb, start, end, final)

    def _write_late_window(self, chain: Chain, scope: RecordScope, start: str) -> None:
        """The record is late as a whole when the newest of its windows is closed: ends ascend with starts."""
        windows = self.windows
        if isinstance(windows, TimeWindows) and windows.advance_ms < windows.size_ms:
            with chain.block(f"if {start} + {windows.advance_ms} > {scope.timestamp}:"):
                self.write_late(chain, scope)
        else:
            self.write_late(chain, scope)

    def _write_update(
        self, chain: Chain, scope: RecordScope, kb: str, start: str, end: str, final: FinalWindows | None
    ) -> None:
        store = f"stores[{self.spec.name!r}]"
        dirty = chain.of_task("windows", f"{store}.dirty")
        get = chain.of_task("windows_get", f"{store}.dirty.get")
        load = chain.of_task("windows_load", f"{store}.load")
        rows, row = chain.local("window_rows"), chain.local("row")
        chain.line(f"{rows} = {get}({start})")
        with chain.block(f"if {rows} is None:"):
            chain.line(f"{rows} = {dirty}[{start}] = {{}}")
        chain.line(f"{row} = {rows}.get({kb}, {chain.missing})")
        with chain.block(f"if {row} is {chain.missing}:"):
            chain.line(f"{row} = {load}({kb}, {start})")
        if final is not None:
            with chain.block(f"if {row} is None:"):
                final.write_open(chain, end)
        updated = self.aggregation.write_update(chain, scope, row, tell_old=self.sends_old, copy=self.copies_state)
        if self.at_commit:
            after = chain.local("after")
            chain.line(f"{after} = {rows}[{kb}] = {self.row(updated)}")
            write_held(chain, self, scope, self._held(), key=f"({kb}, {start}, {end})", before=row, now=after)
            return
        chain.line(f"{rows}[{kb}] = {self.row(updated)}")
        if final is None:
            inner = updated.scope.key or chain.deserialize(self.group.key_serde(), kb)
            forwarded = self.windowed(chain, updated.scope, inner, kb, start, end, updated.time)
            chain.forward(self, self.valued(forwarded, updated.state, updated.result, updated.old))

    def _held(self) -> Held:
        def windowed(chain: Chain, scope: RecordScope) -> RecordScope:
            key = chain.deserialize(self.group.key_serde(), "kb")
            return self.windowed(chain, scope, key, "kb", "start", "end", "ts")

        return Held("(kb, start, end)", windowed, self.aggregation.write_present)

    def windowed(
        self, chain: Chain, scope: RecordScope, key: str, kb: str, start: str, end: str, time: str
    ) -> RecordScope:
        """The scope of a result of the window from `start` to `end`."""
        return self.keyed(
            scope,
            f"{chain.bind(Windowed, 'Windowed')}({key}, {start}, {end})",
            f"{kb} + {chain.bind(PACK_START, 'pack_start')}({start})",
            end,
            time,
            inner=kb,
        )
