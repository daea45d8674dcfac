"""Stream-table join with grace: stream records wait for rows of the table that come late."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from msgspec import Struct

from stores import BufferSpec, TimeBuffer, Waiting
from streams.compile.chain import Chain
from streams.compile.clock import NEVER, Clock, ClockEvent, on_clock, operator_clock
from streams.compile.scope import RecordScope
from streams.compile.source_text import SourceText
from streams.operators.stream_table_join import StreamTableJoin
from streams.operators.waiting_record import WaitingRecord, decode_record, encode_record


class Names(Struct, frozen=True):
    """What the operator's code is made of: its clock, the function that has a record meet the table, and what lets
    records out of the buffer."""

    clock: Clock
    meet: str
    release: ClockEvent


class WaitingStreamTableJoin(StreamTableJoin, frozen=True, kw_only=True, eq=False):
    """Source: `KStreamKTableJoinProcessor` with `Joined.withGracePeriod` (KIP-923), `RocksDBTimeOrderedKeyValueBuffer`.

    The table is versioned. A record waits until its timestamp <= clock - `grace_ms`; then it meets the version of its
    own time. Records come out by time, then key bytes, then arrival. The clock is the largest timestamp among the
    records that were made to wait, held back by the watermark behind a repartition topic: dropped records do not move
    it, and neither does the table. A record with a timestamp < clock - `grace_ms` meets the table at once.

    Departure: a record of a left join that has no key meets nothing at once, where Kafka Streams fails.
    """

    kind: ClassVar[str] = "join"

    spec: BufferSpec
    grace_ms: int

    @property
    def store(self) -> BufferSpec:
        return self.spec

    @property
    def hold_back_ms(self) -> int:
        return self.grace_ms

    def write_meeting(self, chain: Chain, scope: RecordScope, kb: str, value: str) -> None:
        names = self._prepared(chain)
        clock, ts = names.clock, scope.timestamp
        at_once = f"{ts} < {clock.now} - {self.grace_ms}"
        if self.left:
            at_once = f"{kb} is None or {at_once}"
        with chain.block(f"if {at_once}:"):
            chain.line(f"{names.meet}({kb}, {value}, {ts}, {scope.headers}, {scope.message})")
        with chain.block("else:"):
            with chain.at(self, "serialization"):
                scope, vb = chain.value_bytes(scope, never_null=True)
            m = scope.message
            parts = f"{vb}, {m}.topic(), {m}.partition(), {m}.offset(), {scope.headers}"
            record = f"{chain.bind(WaitingRecord, 'WaitingRecord')}({parts})"
            add = chain.of_task("add_waiting", f"stores[{self.spec.name!r}].add")
            chain.line(f"{add}({ts}, {kb}, {chain.bind(encode_record, 'encode_record')}({record}))")
            with chain.block(f"if {ts} > {clock.time}:"):
                chain.line(f"{clock.time} = {ts}")
            with chain.block(f"if {ts} + {self.grace_ms} < {names.release.due}:"):
                chain.line(f"{names.release.due} = {ts} + {self.grace_ms}")
            names.release.write_check(chain)

    def _prepared(self, chain: Chain) -> Names:
        known = chain.module.states.get(id(self))
        if known is None:
            clock = operator_clock(chain, self.spec.name, self)
            meet = self._meet(chain)
            known = chain.module.states[id(self)] = Names(clock, meet, self._release(chain, clock, meet))
        return known

    def _meet(self, chain: Chain) -> str:
        """Writes the function that joins a record: it is called from the buffer and past it."""
        module = chain.module
        name = module.namespace.fresh("meet_table")
        text = SourceText()
        body = Chain(module, text)
        schema = self.parents[0].schema.with_key(self.table.schema.key)
        with text.at(self), text.block(f"def {name}(kb, value, ts, headers, m):"):
            text.line("#nonlocal")
            scope = RecordScope(
                schema=schema,
                timestamp="ts",
                headers="headers",
                key_bytes="kb",
                value="value",
                key_not_null=not self.left,
            )
            with text.more_follows():  # others come out with it
                StreamTableJoin.write_meeting(self, body, scope, "kb", "value")
        text.line()
        module.functions.append(text)
        return name

    def _release(self, chain: Chain, clock: Clock, meet: str) -> ClockEvent:
        due = chain.cell("due", str(NEVER))
        buffer = chain.of_task("waiting_buffer", f"stores[{self.spec.name!r}]")
        pop = chain.of_task("pop_waiting", f"{buffer}.pop")
        settle = f"{due} = {chain.bind(due_after, 'due_after')}({buffer}, {self.grace_ms})"
        chain.module.restored.append(settle)

        def write(body: Chain, scope: RecordScope) -> None:
            entries, left, record = body.local("entries"), body.local("left"), body.local("record")
            ts, kb, written = body.local("ts"), body.local("kb"), body.local("written")
            value = body.deserialize(self.parents[0].schema.value_serde(), f"{record}.value_bytes")
            body.line(f"{entries} = iter({pop}(now - {self.grace_ms}))")
            # A record is out of the buffer before it is joined. Where a user's function fails, and the record that
            # moved the clock is skipped, the next call goes on behind the one that failed.
            with body.block("try:"), body.block(f"for {ts}, _, {kb}, {written} in {entries}:"):
                body.line(f"{left} = iter({written})")
                with body.block(f"for {record} in map({body.bind(decode_record, 'decode_record')}, {left}):"):
                    body.line(f"{meet}({kb}, {value}, {ts}, {record}.header_list, {record})")
            with body.block("except BaseException:"):
                body.line(f"{body.bind(put_back, 'put_back')}({buffer}, {ts}, {kb}, {left}, {entries})")
                body.line("raise")
            body.line(settle)

        return on_clock(chain, self, clock, due, "release_waiting", write)


def put_back(buffer: TimeBuffer, time: int, key: bytes, left: Iterable[bytes], entries: Iterator[Waiting]) -> None:
    """Has those wait again that were taken out and did not get their turn."""
    for value in left:
        buffer.add(time, key, value)
    for waiting in entries:
        for value in waiting.values:
            buffer.add(waiting.time, waiting.key, value)


def due_after(buffer: TimeBuffer, grace_ms: int) -> int:
    """When the first that waits is due."""
    earliest = buffer.earliest()
    return NEVER if earliest is None else earliest + grace_ms
