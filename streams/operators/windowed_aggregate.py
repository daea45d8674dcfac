"""`count`, `reduce` and `aggregate` over tumbling and hopping windows: one aggregate per key and window."""

from __future__ import annotations

from dataclasses import dataclass, replace
from struct import Struct
from typing import ClassVar

from stores import WindowSpec
from streams.compile.chain import Chain
from streams.compile.clock import Clock, operator_clock
from streams.compile.scope import RecordScope
from streams.expressions import Expression
from streams.graph.node import Node
from streams.graph.schema import Schema
from streams.operators.aggregation import Aggregation
from streams.operators.held_changes import Held, write_held
from streams.operators.table import Table
from streams.windowed import Windowed
from streams.windows import TimeWindows

PACK_START = Struct(">q").pack


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AggregateByWindow(Table):
    """Source: `KStreamWindowAggregate`.

    Null keys are dropped; null values reach the aggregation where it accepts them. A window is late, and skipped
    alone, when its end <= clock - grace. The clock is the largest timestamp the operator saw, held back by the
    watermark behind a repartition topic. Windows of one record come oldest first.
    """

    kind: ClassVar[str] = "window-aggregate"
    needs_key: ClassVar[bool] = True

    group: Schema
    """Key and value as the group knows them; what a repartition topic before it is written with."""
    group_name: str
    spec: WindowSpec
    windows: TimeWindows
    aggregation: Aggregation

    @property
    def store(self) -> WindowSpec:
        return self.spec

    @property
    def expressions(self) -> tuple[Expression, ...]:
        return self.aggregation.expressions

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        clock = self._clock(chain)
        store = f"stores[{self.spec.name!r}]"
        dirty = chain.of_task("windows", f"{store}.dirty")
        get = chain.of_task("windows_get", f"{store}.dirty.get")
        load = chain.of_task("windows_load", f"{store}.load")
        size, advance, grace = self.windows.size_ms, self.windows.advance_ms, self.windows.grace_ms
        group = self.group
        scope, kb = chain.key_bytes_under(scope, group)
        start, ts = chain.local("start"), scope.timestamp
        with chain.block(f"if {kb} is None:"):
            chain.line("counters.dropped_null_key += 1")
        if not self.aggregation.accepts_null:
            scope, value = chain.value(scope)
            with chain.block(f"elif {value} is None:"):
                chain.line("counters.dropped_null_value += 1")
        with chain.block("else:"):
            scope = scope.not_null_key()
            with chain.block(f"if {ts} > {clock.time}:"):
                chain.line(f"{clock.time} = {ts}")
            now = chain.local("now")
            chain.line(f"{now} = {clock.now}")
            if advance == size:
                chain.line(f"{start} = {ts} - {ts} % {size}")
                self._write_window(chain, scope, kb, start, f"{start} + {size} <= {now} - {grace}", dirty, get, load)
            else:
                scope, _ = chain.value(scope)  # decoded once, above the loop over the windows
                scope, _ = chain.key(scope)
                first = f"max(0, {ts} - {size} + {advance}) // {advance} * {advance}"
                with chain.block(f"for {start} in range({first}, {ts} + 1, {advance}):"):
                    self._write_window(
                        chain, scope, kb, start, f"{start} + {size} <= {now} - {grace}", dirty, get, load
                    )

    def _clock(self, chain: Chain) -> Clock:
        """The operator's clock, which also tells the store the time."""
        known = chain.module.states.get(id(self))
        if known is None:
            known = chain.module.states[id(self)] = operator_clock(chain, self, self.spec.name)
            # A window store's time is the start of the newest window, as Kafka Streams' stores have it; here it follows
            # from the clock and not from what was put, so that a held-back clock keeps the rows it still needs.
            advance = self.windows.advance_ms
            chain.module.advances.append(f"stores[{self.spec.name!r}].advance({known.now} // {advance} * {advance})")
        return known

    def _write_window(
        self, chain: Chain, scope: RecordScope, kb: str, start: str, late: str, dirty: str, get: str, load: str
    ) -> None:
        with chain.block(f"if {late}:"):
            chain.line("counters.dropped_late += 1")
        with chain.block("else:"):
            rows, row = chain.local("window_rows"), chain.local("row")
            chain.line(f"{rows} = {get}({start})")
            with chain.block(f"if {rows} is None:"):
                chain.line(f"{rows} = {dirty}[{start}] = {{}}")
            chain.line(f"{row} = {rows}.get({kb}, {chain.missing})")
            with chain.block(f"if {row} is {chain.missing}:"):
                chain.line(f"{row} = {load}({kb}, {start})")
            updated = self.aggregation.write_update(chain, scope, row, tell_old=self.sends_old, copy=self.copies_state)
            new = f"({updated.state}, {updated.time})"
            if updated.nullable:
                new = f"None if {updated.state} is None else {new}"
            if self.at_commit:
                after = chain.local("after")
                chain.line(f"{after} = {rows}[{kb}] = {new}")
                held = Held(
                    "(kb, start)",
                    lambda body, change: self._windowed(body, change, "kb", "start"),
                    self.aggregation.write_present,
                )
                write_held(chain, self, scope, held, key=f"({kb}, {start})", before=row, now=after)
                return
            chain.line(f"{rows}[{kb}] = {new}")
            is_state = updated.result == updated.state
            change = replace(
                updated.scope,
                timestamp=updated.time,
                value=updated.result if is_state else None,
                value_source=None if is_state else updated.result,
                value_bytes=None,
                old_value=updated.old,
            )
            chain.forward(self, self._windowed(chain, change, kb, start))

    def _windowed(self, chain: Chain, scope: RecordScope, kb: str, start: str) -> RecordScope:
        """The scope of the forwarded record: its windowed key is only made where somebody reads it."""
        if scope.key is None:
            inner = chain.deserialize(self.group.key_serde(), kb)
        else:
            inner = scope.key
        return replace(
            scope,
            schema=self.schema,
            key=None,
            key_source=f"{chain.bind(Windowed, 'Windowed')}({inner}, {start}, {start} + {self.windows.size_ms})",
            key_bytes=None,
            key_bytes_source=f"{kb} + {chain.bind(PACK_START, 'pack_start')}({start})",
        )
