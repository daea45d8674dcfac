"""`count`, `reduce` and `aggregate` over sessions."""

from __future__ import annotations

from struct import Struct
from typing import ClassVar, NamedTuple

from msgspec.structs import replace

from stores import SessionSpec
from streams.compile.chain import Chain
from streams.compile.clock import Clock
from streams.compile.scope import RecordScope
from streams.graph.node import Node
from streams.operators.closing import Closing, EntryNames
from streams.operators.held_changes import Held, write_held
from streams.operators.window_aggregate import WindowAggregate
from streams.windowed import Windowed
from streams.windows.duration import FOREVER
from streams.windows.session_windows import SessionWindows

PACK_END_AND_START = Struct(">qq").pack


class Parts(NamedTuple):
    """What the code of one operator is made of: names and texts."""

    clock: Clock
    newest: str
    closing: Closing | None


class AggregateBySession(WindowAggregate, frozen=True, kw_only=True, eq=False):
    """Source: `KStreamSessionWindowAggregate`.

    A record at t takes the sessions of its key that end at t - gap or later and start at t + gap or earlier, and merges
    them into one that holds t: first the initial aggregate, then theirs from the oldest on, then the record. It is late
    when the merged session's end < clock - grace - gap. For each session taken a null comes out, oldest first, at its
    old end, then the merged one at its end; no null if the only one taken is [t, t] itself. Those that close at once
    come out by end, then start, then key bytes.
    """

    kind: ClassVar[str] = "session-aggregate"

    spec: SessionSpec
    windows: SessionWindows

    @property
    def closes_ms(self) -> int:
        return self.windows.gap_ms + self.windows.grace_ms

    @property
    def open_ms(self) -> int:
        """After the end of a session, which is its result's timestamp."""
        return self.windows.gap_ms + self.windows.grace_ms + 1

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        parts = self._prepared(chain)
        gap, grace = self.windows.gap_ms, self.windows.grace_ms
        rows_of = chain.of_task("sessions_of", f"stores[{self.spec.name!r}].rows_of")
        scope, kb = chain.key_bytes_under(scope, self.group)
        scope = self.write_drops(chain, scope, kb, accepts_null=self.aggregation.accepts_null)
        ts = scope.timestamp
        with chain.block("else:"):
            scope = scope.not_null_key()
            now = self.write_clock(chain, parts.clock, ts)
            closed = chain.local("closed_before")
            chain.line(f"{closed} = {now} - {grace + gap}")
            if parts.closing is not None:
                parts.closing.write_not_before(chain, closed)
            first = self.write_first_visible(chain, f"{ts} - {gap}", parts.newest, self.store_now(chain))
            taken, start, end = chain.local("taken"), chain.local("start"), chain.local("end")
            chain.line(f"{taken} = {rows_of}({kb}, {first}, {FOREVER})")
            chain.line(f"{start} = {end} = {ts}")
            # Sessions of a key do not overlap, so the one that ends last begins last.
            with chain.block(f"if {taken} and {taken}[-1][1] > {ts} + {gap}:"):
                chain.line(f"{taken} = [s for s in {taken} if s[1] <= {ts} + {gap}]")
            with chain.block(f"if {taken}:"):
                chain.line(f"if {taken}[0][1] < {ts}: {start} = {taken}[0][1]")
                chain.line(f"if {taken}[-1][0] > {ts}: {end} = {taken}[-1][0]")
            with chain.block(f"if {end} < {closed}:"):
                chain.line("counters.dropped_late += 1")
                with chain.text.more_follows(parts.closing is not None):
                    self.write_late(chain, scope)
            with chain.block("else:"):
                self._write_update(chain, scope, kb, taken, start, end, closed, parts)
            if parts.closing is not None:
                parts.closing.event.write_check(chain)

    def _prepared(self, chain: Chain) -> Parts:
        known = chain.module.states.get((self.clock_name, "parts"))
        if known is None:
            closing = self._closing(chain) if self.emit == "close" else None
            clock = self.clock(chain)
            newest = self.newest_put(chain)
            self.tell_store(chain, f"min({newest}, {self.store_now(chain)})", closing and closing.event)
            known = chain.module.states[self.clock_name, "parts"] = Parts(clock, newest, closing)
        return known

    def _closing(self, chain: Chain) -> Closing:
        store, wait = f"stores[{self.spec.name!r}]", self.open_ms

        def write(body: Chain, scope: RecordScope, entry: EntryNames) -> None:
            agenda, due, start, kb = entry
            find, get = body.of_task("session_at", f"{store}.rows_of"), body.of_task("session_get", f"{store}.get")
            row, found, end = body.local("row"), body.local("found"), body.local("end")
            body.line(f"{end} = {due} - {wait}")
            body.line(f"{row} = {get}({kb}, {start}, {end}) if {start} >= 0 else None")
            with body.block(f"if {row} is None:"):
                # A hint, or a session that has grown since: what covers the place has its turn when it is due.
                with body.block(f"if {start} < 0:"):
                    body.line(f"{start} = -1 - {start}")
                body.line(f"{found} = {find}({kb}, {start}, {FOREVER})")
                with body.block(f"if {found} and {found}[0][1] <= {start}:"):
                    body.line(f"{agenda}.add({found}[0][0] + {wait}, {found}[0][1], {kb})")
            with body.block("else:"):
                state = body.local("state")
                body.line(f"{state} = {row}[0]")
                key = body.deserialize(self.group.key_serde(), kb)
                final = self._windowed(body, scope, key, kb, start, end)
                self.write_final(body, final, state)

        return Closing.of(
            chain,
            self,
            closed_after=self.windows.gap_ms + self.windows.grace_ms,
            open_windows=f"[(end + {wait}, start, key) for (key, start, end), _ in {store}.all() if end >= {{closed}}]",
            write=write,
        )

    def _write_update(
        self, chain: Chain, scope: RecordScope, kb: str, taken: str, start: str, end: str, closed: str, parts: Parts
    ) -> None:
        store = f"stores[{self.spec.name!r}]"
        remove = chain.of_task("remove_session", f"{store}.remove_row")
        scope, _ = chain.key(scope)
        if self.aggregation.accepts_null:
            scope, _ = chain.value(scope)
        row, out = chain.local("row"), chain.local("results")
        before = chain.local("before") if self.sends_old or self.at_commit else None
        if parts.closing is not None:
            # Sessions grow with nearly every record, mostly at the end: the agenda gets a hint (-1 - start sorts before
            # all sessions due then) for one that is new or has a new start, and finds the rest out when that is due.
            with chain.block(f"if not {taken} or {start} < {taken}[0][1] or {taken}[-1][0] < {closed}:"):
                chain.line(f"{parts.closing.agenda}.add({end} + {self.open_ms}, -1 - {start}, {kb})")
        elif not self.at_commit:
            chain.line(f"{out} = []")
        if before is not None:
            chain.line(f"{before} = None")
        with chain.block(f"if not {taken}:"):
            chain.line(f"{row} = None")
        with chain.block("else:"):
            self.aggregation.write_merge(chain, scope, taken, row, copy=self.copies_state)
            with chain.block(f"if {start} != {end} or len({taken}) > 1:"):
                old_end, old_start, gone = (chain.local(hint) for hint in ("old_end", "old_start", "gone"))
                with chain.block(f"for {old_end}, {old_start}, {gone} in {taken}:"):
                    chain.line(f"{remove}({kb}, {old_end}, {old_start})")
                    if self.at_commit:
                        at_end = replace(scope, timestamp=old_end)
                        key = f"({kb}, {old_start}, {old_end})"
                        write_held(chain, self, at_end, self._held(), key=key, before=gone, now="None")
                    elif parts.closing is None:
                        old = self.write_old(chain, gone)
                        chain.line(f"{out}.append(({old_start}, {old_end}, None{', ' + old if old else ''}))")
            if before is not None:
                with chain.block("else:"):
                    chain.line(f"{before} = {taken}[0][2]")
        updated = self.aggregation.write_update(chain, scope, row, copy=self.copies_state)
        after = chain.local("after")
        chain.line(f"{after} = {self.row(replace(updated, time=end))}")
        if updated.nullable:
            put = chain.of_task("put_session", f"{store}.put")
            chain.line(f"{put}({kb}, {start}, {end}, {after})")
        else:
            put = chain.of_task("set_session", f"{store}.set_row")
            chain.line(f"{put}({kb}, {end}, {start}, {after})")
        with chain.block(f"if {end} > {parts.newest}:"):
            chain.line(f"{parts.newest} = {end}")
        if self.at_commit:
            assert before is not None
            at_end = replace(scope, timestamp=end)
            write_held(chain, self, at_end, self._held(), key=f"({kb}, {start}, {end})", before=before, now=after)
        elif parts.closing is None:
            old = None if before is None else self.write_old(chain, before)
            chain.line(f"{out}.append(({start}, {end}, {updated.result}{', ' + old if old else ''}))")
            first, last, value = chain.local("first"), chain.local("last"), chain.local("value")
            if old is not None:
                old = chain.local("old")
            with chain.block(f"for {first}, {last}, {value}{', ' + old if old else ''} in {out}:"):
                forwarded = self._windowed(chain, updated.scope, updated.scope.key or "None", kb, first, last)
                chain.forward(self, self.valued(forwarded, value, value, old))

    def _held(self) -> Held:
        def windowed(chain: Chain, scope: RecordScope) -> RecordScope:
            key = chain.deserialize(self.group.key_serde(), "kb")
            return replace(self._windowed(chain, scope, key, "kb", "start", "end"), timestamp="ts")

        return Held("(kb, start, end)", windowed, self.aggregation.write_present)

    def _windowed(self, chain: Chain, scope: RecordScope, key: str, kb: str, start: str, end: str) -> RecordScope:
        """The scope of a result of a session; both ends are inclusive, and its time is its end."""
        return self.keyed(
            scope,
            f"{chain.bind(Windowed, 'Windowed')}({key}, {start}, {end})",
            f"{kb} + {chain.bind(PACK_END_AND_START, 'pack_end_and_start')}({end}, {start})",
            end,
            end,
        )
