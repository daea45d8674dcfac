"""`count`, `reduce` and `aggregate` over sliding windows."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from msgspec.structs import replace

from stores import WindowSpec
from streams.compile.chain import Chain
from streams.compile.clock import Clock
from streams.compile.scope import RecordScope
from streams.graph.node import Node
from streams.operators.closing import Closing, EntryNames
from streams.operators.held_changes import Held, write_held
from streams.operators.sliding_updates import SlidingUpdates
from streams.operators.window_aggregate import PACK_START, WindowAggregate
from streams.windowed import Windowed
from streams.windows.duration import FOREVER
from streams.windows.sliding_windows import SlidingWindows


class Parts(NamedTuple):
    """What the code of one operator is made of: names and texts."""

    clock: Clock
    newest: str
    updates: str
    closing: Closing | None


class AggregateBySlidingWindow(WindowAggregate, frozen=True, kw_only=True, eq=False):
    """Source: `KStreamSlidingWindowAggregate`.

    Null values are dropped. A closed window (end < clock - grace) is skipped alone; the whole record is late when even
    the window that starts right after it is closed. Order and rules of the windows: `sliding_updates.py`. Those that
    close at once come out by start, then key bytes.
    """

    kind: ClassVar[str] = "sliding-window-aggregate"

    spec: WindowSpec
    windows: SlidingWindows

    @property
    def closes_ms(self) -> int:
        return self.windows.grace_ms

    @property
    def open_ms(self) -> int:
        return self.windows.difference_ms + self.windows.grace_ms + 1

    def end_of(self, start: int) -> int:
        """The end, inclusive, of the window that starts at `start`."""
        return min(start + self.windows.difference_ms, FOREVER)

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        parts = self._prepared(chain)
        difference, grace = self.windows.difference_ms, self.windows.grace_ms
        scope, kb = chain.key_bytes_under(scope, self.group)
        scope = self.write_drops(chain, scope, kb, accepts_null=False)
        ts = scope.timestamp
        with chain.block("else:"):
            scope = scope.not_null_key()
            now = self.write_clock(chain, parts.clock, ts)
            closed = chain.local("closed_before")
            chain.line(f"{closed} = {now} - {grace}")
            if parts.closing is not None:
                parts.closing.write_not_before(chain, closed)
            with chain.block(f"if {ts} + {difference + 1} <= {closed}:"):
                chain.line("counters.dropped_late += 1")
                with chain.text.more_follows(parts.closing is not None):
                    self.write_late(chain, scope)
            with chain.block("else:"):
                scope, _ = chain.key(scope)  # decoded once, above the loop over the windows
                first = self.write_first_visible(
                    chain, f"{ts} - {2 * difference}", parts.newest, f"{self.store_now(chain)} + 1"
                )
                put = None  # where old values are told: the window put last, and its value
                if self.sends_old:
                    put = chain.local("put_start"), chain.local("put_value")
                    chain.line(f"{put[0]} = {put[1]} = None")
                start, row, folds, new = (chain.local(hint) for hint in ("start", "row", "folds", "new"))
                with chain.block(f"for {start}, {row}, {folds}, {new} in {parts.updates}({kb}, {ts}, {first}):"):
                    with chain.block(f"if {start} + {difference} < {closed}:"):
                        chain.line("counters.dropped_late += 1")
                    with chain.block("else:"):
                        if parts.closing is not None:
                            due = f"{start} + {self.open_ms}"
                            chain.line(f"if {new}: {parts.closing.agenda}.add({due}, {start}, {kb})")
                        self._write_update(chain, scope, kb, start, row, folds, new, parts, put)
            if parts.closing is not None:
                parts.closing.event.write_check(chain)

    def _prepared(self, chain: Chain) -> Parts:
        known = chain.module.states.get((self.clock_name, "parts"))
        if known is None:
            store = f"stores[{self.spec.name!r}]"
            new = chain.bind(SlidingUpdates, "SlidingUpdates")
            codec = chain.bind(self.spec.codec, "codec")
            updates = chain.of_task("updates_of", f"{new}({store}, {self.windows.difference_ms}, {codec})")
            closing = self._closing(chain) if self.emit == "close" else None
            clock = self.clock(chain)
            newest = self.newest_put(chain)
            # The store forgets by the newest start that was put, as in Kafka Streams, which is at most clock + 1; a
            # held-back clock holds it back too.
            self.tell_store(chain, f"min({newest}, {self.store_now(chain)} + 1)", closing and closing.event)
            known = chain.module.states[self.clock_name, "parts"] = Parts(clock, newest, updates, closing)
        return known

    def _closing(self, chain: Chain) -> Closing:
        store = f"stores[{self.spec.name!r}]"

        def write(body: Chain, scope: RecordScope, entry: EntryNames) -> None:
            start, kb = entry.start, entry.key_bytes
            get = body.of_task("window_get", f"{store}.get")
            row, state, time = body.local("row"), body.local("state"), body.local("row_time")
            body.line(f"{row} = {get}({kb}, {start})")
            with body.block(f"if {row} is not None:"):
                body.line(f"{state}, {time} = {row}")
                key = body.deserialize(self.group.key_serde(), kb)
                final = self._windowed(body, scope, key, kb, start, time)
                self.write_final(body, final, state)

        return Closing.of(
            chain,
            self,
            closed_after=self.windows.grace_ms,
            open_windows=f"[(start + {self.open_ms}, start, key) for (key, start), _ in {store}.all() "
            f"if start + {self.windows.difference_ms} >= {{closed}}]",
            write=write,
        )

    def _write_update(
        self,
        chain: Chain,
        scope: RecordScope,
        kb: str,
        start: str,
        row: str,
        folds: str,
        new: str,
        parts: Parts,
        put_last: tuple[str, str] | None,
    ) -> None:
        put = chain.of_task("put_window", f"stores[{self.spec.name!r}].put")
        with chain.block(f"if {folds}:"):
            updated = self.aggregation.write_update(chain, scope, row, tell_old=self.sends_old, copy=self.copies_state)
            result = updated.result
        with chain.block("else:"):
            chain.line(f"{updated.state}, {updated.time} = {row}")
        after = chain.local("after")
        chain.line(f"{after} = {self.row(updated)}")
        chain.line(f"{put}({kb}, {start}, {after})")
        with chain.block(f"if {start} > {parts.newest}:"):
            chain.line(f"{parts.newest} = {start}")
        if self.at_commit:
            before = chain.local("before")
            chain.line(f"{before} = None if {new} else {row}")
            write_held(chain, self, scope, self._held(), key=f"({kb}, {start})", before=before, now=after)
        elif parts.closing is None:
            if updated.old is not None and put_last is not None:
                value = chain.local("value")
                chain.line(f"{value} = {result}")
                result = value
                with chain.block(f"if {new}:"):  # what it was copied from is not what it replaces
                    # The left window of a record may also be the right window of the one before, and is put twice then.
                    initial = f"None if {row} is not None else {updated.old}"
                    chain.line(f"{updated.old} = {put_last[1]} if {start} == {put_last[0]} else {initial}")
                chain.line(f"{put_last[0]}, {put_last[1]} = {start}, {value}")
            inner = scope.key or "None"
            forwarded = self._windowed(chain, replace(scope, value=None), inner, kb, start, updated.time)
            chain.forward(self, self.valued(forwarded, updated.state, result, updated.old))

    def _held(self) -> Held:
        def windowed(chain: Chain, scope: RecordScope) -> RecordScope:
            return self._windowed(chain, scope, chain.deserialize(self.group.key_serde(), "kb"), "kb", "start", "ts")

        return Held("(kb, start)", windowed, self.aggregation.write_present)

    def _windowed(self, chain: Chain, scope: RecordScope, key: str, kb: str, start: str, time: str) -> RecordScope:
        """The scope of a result of the window that begins at `start`; its end is inclusive."""
        return self.keyed(
            scope,
            f"{chain.bind(Windowed, 'Windowed')}({key}, {start}, {start} + {self.windows.difference_ms})",
            f"{kb} + {chain.bind(PACK_START, 'pack_start')}({start})",
            f"{start} + {self.windows.difference_ms}",
            time,
        )
