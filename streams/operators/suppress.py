"""`suppress`: a table's changes wait, and only the last one of each key comes out when its time has come."""

from __future__ import annotations

from typing import ClassVar, Literal

from msgspec import Struct

from stores import BufferSpec
from stores.timed_keys import LARGEST_TIME
from streams.compile.chain import Chain
from streams.compile.clock import NEVER, Clock, ClockEvent, on_clock, operator_clock, remembered_time
from streams.compile.scope import RecordScope
from streams.errors import BufferFullError
from streams.graph.node import Node, OldValues
from streams.operators.table import Table, table_of
from streams.operators.table_filter import TableFilter
from streams.operators.waiting_change import decode_change, encode_change


class Names(Struct, frozen=True):
    """What the operator's code is made of: its clock, what lets changes out, the text that says the buffer is full
    (None: it never is), and the cell of the time through which windows have come out (None: the clock never goes
    back)."""

    clock: Clock
    release: ClockEvent
    full: str | None
    released: str | None


class Suppress(Table, frozen=True, kw_only=True, eq=False):
    """Source: `KTableSuppressProcessorSupplier`, `InMemoryTimeOrderedKeyValueChangeBuffer`.

    A change waits for a time: of windows their end, else its own timestamp. It comes out once the operator's clock, the
    largest timestamp among the changes it got, held back by the watermark behind a repartition topic, has reached that
    time plus `wait_ms`. A later change of the key takes its place there with its own value, timestamp and headers.
    Changes come out by time, then key bytes, after the change that moved the clock was put in. A window's deletion
    (`final`) does not come out.

    A buffer beyond its bounds lets the oldest changes out until it is within them, or fails the record.

    Departure: the old value of what comes out is what came out for the key before. Kafka Streams tells the one that the
    last change replaced in the buffer, which nobody downstream has heard of, so that aggregates of a suppressed table
    subtract what they never added. The clock survives a restart.
    """

    kind: ClassVar[str] = "suppress"

    spec: BufferSpec
    wait_ms: int
    final: bool
    held_ms: int
    """How long a change may wait at most, after its own timestamp."""
    record_limit: int | None = None
    byte_limit: int | None = None
    when_full: Literal["emit_early", "shut_down"] = "shut_down"
    looked_into: bool = False
    """Somebody looks up what was told last of keys that wait."""

    @property
    def store(self) -> BufferSpec:
        return self.spec

    @property
    def hold_back_ms(self) -> int:
        return self.held_ms

    @property
    def old_values(self) -> OldValues:
        # Kafka Streams' operator always has old values told. That shows where no table above has rows to tell them
        # from, and behind filters: a source gets a store, and filters leave out changes of nothing to nothing.
        above = [table_of(parent) for parent in self.parents]
        told = all(table.knows_old and not isinstance(table, TableFilter) for table in above)
        return "ignored" if told else "needed"

    @property
    def knows_old(self) -> bool:
        return False  # the first old value of a key comes from above

    @property
    def collapses(self) -> bool:
        return False

    @property
    def by_window(self) -> bool:
        return table_of(self.parents[0]).by_window

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        names = self._prepared(chain)
        put = chain.of_task("put_waiting", f"stores[{self.spec.name!r}].put")
        ts = scope.timestamp
        scope = scope.not_null_key()
        waits_for = ts
        if self.final:
            scope, waits_for = self._end(chain, scope)
        scope, kb = chain.key_bytes_under(scope, self.schema)
        with chain.at(self, "serialization"):
            scope, vb = chain.value_bytes_under(scope, self.schema)
        old = self._write_old_bytes(chain, scope, kb) if self.tells_old else "None"
        encoded = f"{chain.bind(encode_change, 'encode_change')}(({ts}, {scope.headers}, {vb}, {old}))"
        with chain.block(f"if {ts} > {names.clock.time}:"):
            chain.line(f"{names.clock.time} = {ts}")
        if names.released is None:
            self._write_put(chain, names, put, kb, encoded, waits_for)
            return
        # What has come out is closed, even if the clock was turned back.
        with chain.block(f"if {names.clock.now} < {names.released} >= {waits_for} + {self.wait_ms}:"):
            chain.line("counters.dropped_late += 1")
        with chain.block("else:"):
            self._write_put(chain, names, put, kb, encoded, waits_for)

    @staticmethod
    def _end(chain: Chain, scope: RecordScope) -> tuple[RecordScope, str]:
        """The text of the end of the change's window."""
        if scope.window_end is not None:
            return scope, f"({scope.window_end})"
        scope, key = chain.key(scope)
        return scope, f"{key}.end"

    def _write_put(self, chain: Chain, names: Names, put: str, kb: str, encoded: str, time: str) -> None:
        """Puts a change into the buffer, to wait for `time`, and lets out what is due or too much."""
        due, waits = names.release.due, chain.local("waits")
        chain.line(f"{waits} = {put}({kb}, {encoded}, {time}) + {self.wait_ms}")
        with chain.block(f"if {waits} < {due}:"):
            chain.line(f"{due} = {waits}")
        now, release = names.clock.now, names.release.function
        if names.full is None:
            names.release.write_check(chain)
        elif self.when_full == "emit_early":
            chain.line(f"if {now} >= {due} or {names.full}: {release}({now})")
        else:
            names.release.write_check(chain)
            with chain.block(f"if {names.full}:"):
                error = chain.bind(BufferFullError, "BufferFullError")
                store = f"stores[{self.spec.name!r}]"
                bounds = f"record_limit={self.record_limit}, byte_limit={self.byte_limit}"
                held = f"records={store}.count, size_bytes={store}.size_bytes"
                chain.line(f"raise {error}({self.label!r}, {held}, {bounds})")

    @property
    def tells_old(self) -> bool:
        """Whether what was told last has to be kept while something newer waits."""
        return self.sends_old or self.looked_into

    def write_row(self, chain: Chain, scope: RecordScope, kb: str, as_of: str | None = None) -> str:
        # The time of what was told is not known any more; Kafka Streams has -1 for it as well.
        get = chain.of_task("get_waiting", f"stores[{self.spec.name!r}].get")
        waiting, row, value = chain.local("waiting"), chain.local("row"), chain.local("value")
        chain.line(f"{waiting} = {get}({kb})")
        with chain.block(f"if {waiting} is not None:"):
            chain.line(f"{value} = {chain.bind(decode_change, 'decode_change')}({waiting}).old")
            decoded = chain.deserialize(self.schema.value_serde(), value)
            chain.line(f"{row} = None if {value} is None else ({decoded}, -1)")
        with chain.block("else:"):
            told = table_of(self.parents[0]).write_row(chain, scope, kb)
            chain.line(f"{row} = {told}")
        return row

    # -- parts of the code ------------------------------------------------------------------------------------------
    def _prepared(self, chain: Chain) -> Names:
        known = chain.module.states.get(id(self))
        if known is None:
            clock = operator_clock(chain, self.spec.name, self)
            full = self._full(chain)
            released: str | None = None
            if self.final and clock.now != clock.time:
                released = remembered_time(chain, f"{self.spec.name}/released", "released")
            release = self._release(chain, clock, full if self.when_full == "emit_early" else None, released)
            known = chain.module.states[id(self)] = Names(clock, release, full, released)
        return known

    def _full(self, chain: Chain) -> str | None:
        buffer = f"stores[{self.spec.name!r}]"
        bounds: list[str] = []
        if self.record_limit is not None or self.byte_limit is not None:
            buffer = chain.of_task("waiting_buffer", buffer)
        if self.record_limit is not None:
            bounds.append(f"{buffer}.count > {self.record_limit}")
        if self.byte_limit is not None:
            bounds.append(f"{buffer}.size_bytes > {self.byte_limit}")
        return f"({' or '.join(bounds)})" if bounds else None

    def _release(self, chain: Chain, clock: Clock, full: str | None, released: str | None) -> ClockEvent:
        due = chain.cell("due", str(NEVER))
        take = chain.of_task("take_waiting", f"stores[{self.spec.name!r}].take")
        earliest = chain.of_task("earliest_waiting", f"stores[{self.spec.name!r}].earliest")
        settle = f"{due} = {chain.bind(due_after, 'due_after')}({earliest}(), {self.wait_ms})"
        chain.module.restored.append(settle)

        def write(body: Chain, scope: RecordScope) -> None:
            # Each is taken out before it is forwarded: where a user's function fails and the record that moved the
            # clock is skipped, the next call goes on behind it.
            waiting, change = body.local("waiting"), body.local("change")
            none = f"({waiting} := {take}(now - {self.wait_ms})) is None"
            if full is not None:
                none += f" and (not {full} or ({waiting} := {take}({LARGEST_TIME})) is None)"
            with body.block("while True:"):
                with body.block(f"if {none}:"):
                    body.line("break")
                kb, vb, ts, headers = (body.local(hint) for hint in ("kb", "vb", "ts", "headers"))
                body.line(f"{kb} = {waiting}.key")
                body.line(f"{change} = {body.bind(decode_change, 'decode_change')}({waiting}.values[0])")
                body.line(f"{ts}, {headers}, {vb} = {change}.timestamp, {change}.headers, {change}.new")
                if self.final:
                    with body.block(f"if {vb} is None:"):
                        body.line("continue")
                self._write_told(body, scope, kb, vb, ts, headers, change)
            body.line(settle)
            if released is not None:
                with body.block(f"if now > {released}:"):
                    body.line(f"{released} = now")

        return on_clock(chain, self, clock, due, "release_waiting", write)

    def _write_told(
        self, body: Chain, scope: RecordScope, kb: str, vb: str, ts: str, headers: str, change: str
    ) -> None:
        """Forwards what was taken out of the buffer."""
        serde = self.schema.value_serde()
        decoded = body.deserialize(serde, vb)
        old: str | None = None
        if self.sends_old:
            before, old = body.local("before"), body.local("old")
            body.line(f"{before} = {change}.old")
            body.line(f"{old} = None if {before} is None else {body.deserialize(serde, before)}")
        told = RecordScope(
            schema=self.schema,
            timestamp=ts,
            headers=headers,
            message=scope.message,
            key_bytes=kb,
            key_not_null=True,
            value_source=decoded if self.final else f"None if {vb} is None else {decoded}",
            value_bytes=vb,
            old_value=old,
        )
        body.forward(self, told)

    def _write_old_bytes(self, chain: Chain, scope: RecordScope, kb: str) -> str:
        """The local of the serialised value that was told last: the change's old value if nothing waits."""
        get = chain.of_task("get_waiting", f"stores[{self.spec.name!r}].get")
        waiting, old = chain.local("waiting"), chain.local("old_bytes")
        chain.line(f"{waiting} = {get}({kb})")
        with chain.block(f"if {waiting} is not None:"):
            chain.line(f"{old} = {chain.bind(decode_change, 'decode_change')}({waiting}).old")
        with chain.block("else:"), chain.at(self, "serialization"):
            before = scope.old_value
            written = chain.serialize(self.schema.value_serde(), str(before))
            chain.line(f"{old} = None if {before} is None else {written}")
        return old


def due_after(time: int | None, wait_ms: int) -> int:
    """When what waits for `time` is due; None: nothing waits."""
    return NEVER if time is None else time + wait_ms
