"""What aggregations over windows of every kind have in common."""

from __future__ import annotations

from struct import Struct
from typing import ClassVar, Literal

from msgspec.structs import replace

from stores import SessionSpec, WindowSpec
from streams.compile.chain import Chain
from streams.compile.clock import Clock, ClockEvent, operator_clock, remembered_time
from streams.compile.scope import RecordScope
from streams.expressions import Expression
from streams.graph.schema import Schema
from streams.operators.aggregation import Aggregation, Updated
from streams.operators.table import Table

PACK_START = Struct(">q").pack

Emit = Literal["update", "close"]
"""When results come out: each update, or each window's last result once the window is closed (KIP-825)."""


class WindowAggregate(Table, frozen=True, kw_only=True, eq=False):
    """One aggregate per key and window.

    Null keys are dropped; null values reach the aggregation where it accepts them. The operator's clock is the largest
    timestamp among the records with a key that it saw, held back by the watermark behind a repartition topic. A record
    that no window takes because all of its windows are closed goes to the operator's late stream, if there is one.

    With `emit="close"` a window comes out once, when the clock has closed it, right after the record (or watermark)
    that moved the clock; deleted aggregates do not come out. How far that has gone is remembered over restarts, and a
    window that came out takes no more records even if an idle upstream task's return turns the clock back.
    """

    needs_key: ClassVar[bool] = True

    group: Schema
    """Key and value as the group knows them; what a repartition topic before it is written with."""
    group_name: str
    spec: WindowSpec | SessionSpec
    aggregation: Aggregation
    emit: Emit = "update"
    clock_name: str
    """What the clock is remembered under: the store's name, with the input's number where inputs of a cogroup have
    clocks of their own."""

    @property
    def store(self) -> WindowSpec | SessionSpec:
        return self.spec

    @property
    def collapses(self) -> bool:
        return self.emit == "update"

    @property
    def expressions(self) -> tuple[Expression, ...]:
        return self.aggregation.expressions

    @property
    def closes_ms(self) -> int:
        """How long after its end a window takes records."""
        raise NotImplementedError

    @property
    def open_ms(self) -> int:
        """How long after its start a window is open at most."""
        raise NotImplementedError

    @property
    def hold_back_ms(self) -> int:
        return self.open_ms if self.emit == "close" else 0

    # -- parts of the code ------------------------------------------------------------------------------------------
    def clock(self, chain: Chain) -> Clock:
        """The clock, shared by the inputs of one store where results come out at the close."""
        sharing = (node for node in self.inputs(chain) if node.clock_name == self.clock_name)
        return operator_clock(chain, self.clock_name, *sharing)

    def inputs(self, chain: Chain) -> list[WindowAggregate]:
        """The operators that keep their aggregates in the same store, itself included: the inputs of a cogroup."""
        return [
            node
            for node in chain.module.nodes
            if isinstance(node, WindowAggregate) and node.spec.name == self.spec.name
        ]

    def store_now(self, chain: Chain) -> str:
        """The text of the time that the store may have reached: the newest of its inputs' clocks."""
        clocks = dict.fromkeys(node.clock(chain).now for node in self.inputs(chain))
        return f"max({', '.join(clocks)})" if len(clocks) > 1 else next(iter(clocks))

    def tell_store(self, chain: Chain, time: str, closing: ClockEvent | None) -> None:
        """Has the store told the time `time` after each batch, but not while closed windows are still to come out of
        it: where a user's function failed on one and was skipped, the others follow with the next record."""
        waits = "" if closing is None else f"if {closing.clock.now} < {closing.due}: "
        chain.module.advances.append(f"{waits}stores[{self.spec.name!r}].advance({time})")

    def emitted_through(self, chain: Chain) -> str:
        """The cell of the time up to which closed windows have come out."""
        return remembered_time(chain, f"{self.spec.name}/closed", "closed")

    def newest_put(self, chain: Chain) -> str:
        """The cell of the newest time a row was put at."""
        return remembered_time(chain, f"{self.spec.name}/newest", "newest")

    def write_drops(self, chain: Chain, scope: RecordScope, key_bytes: str, *, accepts_null: bool) -> RecordScope:
        """`if` and `elif` for records the operator takes no notice of; an `else` block follows."""
        if accepts_null:
            with chain.block(f"if {key_bytes} is None:"):
                chain.line("counters.dropped_null_key += 1")
            return scope
        scope, value = chain.value(scope)
        with chain.block(f"if {key_bytes} is None:"):
            chain.line("counters.dropped_null_key += 1")
        with chain.block(f"elif {value} is None:"):
            chain.line("counters.dropped_null_value += 1")
        return scope

    def write_clock(self, chain: Chain, clock: Clock, timestamp: str) -> str:
        """Moves the clock; the local that holds it."""
        with chain.block(f"if {timestamp} > {clock.time}:"):
            chain.line(f"{clock.time} = {timestamp}")
        now = chain.local("now")
        chain.line(f"{now} = {clock.now}")
        return now

    def write_first_visible(self, chain: Chain, first: str, newest: str, now: str) -> str:
        """The local of the earliest time to look for rows from: `first`, or where the store's memory begins.

        The store itself forgets only between batches; what a record finds must not depend on where a batch ends. As in
        Kafka Streams memory reaches back by the retention from the newest row that was put; a held-back clock holds
        that back too.
        """
        local, visible = chain.local("first"), chain.local("visible")
        reaches_from = newest if newest == now else f"({newest} if {newest} < {now} else {now})"
        chain.line(f"{local}, {visible} = {first}, {reaches_from} - {self.spec.retention_ms - 1}")
        with chain.block(f"if {local} < {visible}:"):
            chain.line(f"{local} = {visible}")
        with chain.block(f"if {local} < 0:"):
            chain.line(f"{local} = 0")
        return local

    def has_late_stream(self, chain: Chain) -> bool:
        return bool(chain.children(self, late=True))

    def write_late(self, chain: Chain, scope: RecordScope) -> None:
        """Hands a record on that was too late."""
        if self.has_late_stream(chain):
            chain.forward(self, scope, late=True)

    def row(self, updated: Updated) -> str:
        """The text of the row to put."""
        new = f"({updated.state}, {updated.time})"
        return f"None if {updated.state} is None else {new}" if updated.nullable else new

    def keyed(
        self, scope: RecordScope, key: str, key_bytes: str, end: str, time: str, *, inner: str | None = None
    ) -> RecordScope:
        """The scope of a result: its windowed key is only made where somebody reads it. `inner`: the local with its
        serialised key without the window."""
        return replace(
            scope,
            schema=self.schema,
            timestamp=time,
            key=None,
            key_source=key,
            key_bytes=None,
            key_bytes_source=key_bytes,
            window_end=end,
            inner_key_bytes=inner,
            key_not_null=True,
            value_bytes=None,
        )

    @staticmethod
    def valued(scope: RecordScope, state: str, result: str, old: str | None = None) -> RecordScope:
        """The scope with an aggregate as its value; the user's form of it is only made where it differs."""
        if result == state:
            return replace(scope, value=state, value_source=None, old_value=old)
        return replace(scope, value=None, value_source=result, old_value=old)

    def write_final(self, chain: Chain, scope: RecordScope, state: str) -> None:
        """Forwards the final result of a window; it replaces nothing."""
        result = self.aggregation.write_present(chain, state)
        chain.forward(self, self.valued(scope, state, result, self.write_old(chain, "None")))

    def write_old(self, chain: Chain, row: str) -> str | None:
        """Code that takes the value that users saw out of a row; the local that holds it, if somebody needs it."""
        if not self.sends_old:
            return None
        old = chain.local("old")
        chain.line(f"{old} = None")
        if row != "None":
            with chain.block(f"if {row} is not None:"):
                chain.line(f"{old} = {row}[0]")
                chain.line(f"{old} = {self.aggregation.write_present(chain, old)}")
        return old
