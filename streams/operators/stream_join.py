"""Joins of two streams: records with one key meet if their times are close enough.

A join is three operators: one for each side, which keeps the side's records and looks into those of the other, and one
that all results go through. What the generated code of a side does with a record:

    if ts > time_1: time_1 = ts                  # left and outer joins: the clock that both sides share
    …                                            # null keys and values
    if ts == time_1:
        if time_1 >= due_1: unmatched(time_1)    # those whose window and grace are over come out first
    kept = append(kb, ts, (value, ts))           # for records of the other side to find
    if ts > newest_1: newest_1 = ts
    found = rows_of(kb, first, ts + 5000)        # the one range read of the other side's store
    for at, _, (other, _) in found:
        joined(kb, joiner(value, other), at if at > ts else ts, …)
"""

from __future__ import annotations

from typing import ClassVar, Literal, NamedTuple

from msgspec.structs import replace

from stores import BufferSpec, WindowSpec
from streams.compile.call import call
from streams.compile.chain import Chain
from streams.compile.clock import NEVER, Clock, ClockEvent, on_clock, operator_clock
from streams.compile.scope import RecordScope
from streams.graph.function import UserFunction
from streams.graph.node import Node
from streams.graph.schema import Schema
from streams.operators.unmatched import LEFT, RIGHT, Unmatched
from streams.windows.join_windows import JoinWindows

StreamJoinKind = Literal["inner", "left", "outer"]


class StreamJoin(Node, frozen=True, kw_only=True, eq=False):
    """Source: `KStreamKStreamJoin` and its two sides; for its results `KStreamImplJoin`'s merge.

    Parents are the two sides, or the one of a join of a stream with itself. A left record at t meets the right records
    in [t - before, t + after], both ends inclusive, that are still kept; a result has the later of the two times, and
    the results of one record come by the time of the other, then arrival. Records with a null value are dropped. So are
    those with a null key, but where results may lack the other side: there they come out at once without one (KIP-962).

    A record of such a side that meets none waits until the clock, the largest timestamp seen on both sides, is past its
    time by more than reach (after for left ones, before for right ones) plus grace. When a record moves the clock, or
    stands at it, those that are due come out before its own results: by time, right before left, key bytes. One that is
    due when it comes, comes out at once.

    Departures: KAFKA-19536 is fixed (grace counts for records that come late as well), and each clock's due records
    come out completely, without the shortcuts that `KStreamKStreamJoin.emitNonJoinedOuterRecords` takes.
    """

    kind: ClassVar[str] = "stream-join"
    called_by_key_bytes: ClassVar[bool] = True

    join: StreamJoinKind
    windows: JoinWindows
    spec: BufferSpec | None = None
    """Where records wait that met none; inner joins have none."""

    @property
    def store(self) -> BufferSpec | None:
        return self.spec

    @property
    def hold_back_ms(self) -> int:
        sides = [right for right in (False, True) if may_miss(self.join, right=not right)]
        reach = max((self.windows.reach_ms(right=right) for right in sides), default=0)
        return max(reach + self.windows.grace_ms + 1, 0) if sides else 0

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        chain.forward(self, scope)


class Parts(NamedTuple):
    """What the code of both sides of a left or outer join shares: the clock, what lets records out that met none, and
    the names of the object and the buffer that have them."""

    clock: Clock
    closing: ClockEvent
    unmatched: str
    wait: str


class Kept(NamedTuple):
    """The store of one side in generated code: the clock of the newest record put, and how long it is kept."""

    newest: Clock
    retention_ms: int

    @classmethod
    def of(cls, chain: Chain, spec: WindowSpec, join: Node) -> Kept:
        """Prepared once for each store, which is told the time after each batch.

        As in Kafka Streams memory reaches back from the newest record that was put, here as far as the watermark lets
        it count.
        """
        known = chain.module.states.get(("kept", spec.name))
        if known is None:
            newest = operator_clock(chain, spec.name, join)
            chain.module.advances.append(f"stores[{spec.name!r}].advance({newest.now})")
            known = chain.module.states["kept", spec.name] = cls(newest, spec.retention_ms)
        return known

    def write_put(self, chain: Chain, timestamp: str) -> None:
        """Moves the clock for a record that was put."""
        chain.line(f"if {timestamp} > {self.newest.time}: {self.newest.time} = {timestamp}")

    def write_visible(self, chain: Chain) -> str:
        """The text of the time from which on records are found.

        The store itself forgets only between batches; what a record finds must not depend on where a batch ends. It
        never goes back, even if an idle upstream task's return turns the clock back.
        """
        text = f"{self.newest.now} - {self.retention_ms - 1}"
        if self.newest.now == self.newest.time:
            return text
        cell = chain.module.states.get(("visible", self.newest.time))
        if cell is None:
            cell = chain.module.states["visible", self.newest.time] = chain.cell("visible", "-1")
        chain.line(f"if {text} > {cell}: {cell} = {text}")
        return cell


class StreamJoinSide(Node, frozen=True, kw_only=True, eq=False):
    """One side: keeps its records for `windows.retention_ms` after the newest of them, duplicates and all, and joins
    each with those the other side keeps. That memory is the only lateness check, as in Kafka Streams (KAFKA-16123); a
    record that is too late to be kept is counted, and joined nevertheless. Where before or after plus grace is 0 or
    less, it ends before the last record that could still come and meet one at the edge of its window (also as there).

    `schema` is that of the side's records; what it forwards are results.
    """

    kind: ClassVar[str] = "stream-join-side"
    needs_key: ClassVar[bool] = True

    spec: WindowSpec
    other: WindowSpec
    """The other side's store."""
    joiner: UserFunction
    join: StreamJoinKind
    windows: JoinWindows
    is_right: bool
    topic_name: str | None
    """What a repartition topic before it is named after; None: the side's own chain."""
    left: Schema
    right: Schema
    """What the two sides keep."""

    @property
    def store(self) -> WindowSpec:
        return self.spec

    @property
    def reach(self) -> tuple[int, int]:
        """How far back and ahead of a record of this side those of the other may lie, ms."""
        before, after = self.windows.before_ms, self.windows.after_ms
        return (after, before) if self.is_right else (before, after)

    @property
    def other_may_miss(self) -> bool:
        return may_miss(self.join, right=not self.is_right)

    @property
    def lane(self) -> int:
        return RIGHT if self.is_right else LEFT

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        parts = self._prepared(chain) if self.join != "inner" else None
        scope, kb = chain.key_bytes_under(scope, self.schema)
        scope, value = chain.value(scope)
        if parts is not None:
            time = parts.clock.time
            chain.line(f"if {scope.timestamp} > {time}: {time} = {scope.timestamp}")
        with chain.block(f"if {value} is None:"):
            chain.line("counters.dropped_null_value += 1")
        with chain.block(f"elif {kb} is None:"):
            if self.other_may_miss:
                self._write_joined(chain, scope, value, "None", scope.timestamp)
            else:
                chain.line("counters.dropped_null_key += 1")
        with chain.block("else:"):
            self._write_record(chain, scope.not_null_key(), kb, value, parts)

    # -- parts of the code ------------------------------------------------------------------------------------------
    def _write_record(self, chain: Chain, scope: RecordScope, kb: str, value: str, parts: Parts | None) -> None:
        (node,) = chain.children(self)
        ts = scope.timestamp
        append = chain.of_task("append", f"stores[{self.spec.name!r}].append")
        rows_of = chain.of_task("rows_of", f"stores[{self.other.name!r}].rows_of")
        mine, theirs = Kept.of(chain, self.spec, node), Kept.of(chain, self.other, node)
        back, ahead = self.reach
        if parts is not None:
            with chain.block(f"if {ts} == {parts.clock.time}:"):
                parts.closing.write_check(chain)
        kept, found, first = chain.local("kept"), chain.local("found"), chain.local("first")
        chain.line(f"{kept} = {append}({kb}, {ts}, ({value}, {ts}))")
        mine.write_put(chain, ts)
        visible = mine.write_visible(chain)
        chain.line(f"if {ts} < {visible}: counters.dropped_late += 1")
        chain.line(f"{first} = {theirs.write_visible(chain)}")
        chain.line(f"if {first} < {ts} - {back}: {first} = {ts} - {back}")
        chain.line(f"{found} = {rows_of}({kb}, {first}, {last_met(ts, ahead)})")
        with chain.block(f"if {found}:"):
            if parts is not None and may_miss(self.join, right=self.is_right):  # the others may be waiting
                meeting = f"{RIGHT + LEFT - self.lane}, {kb}, {ts}, {found}, {kept}, {visible}, {self.reach}"
                due = parts.closing.due
                with chain.block(f"if {due} < {NEVER} and {parts.unmatched}.meet({meeting}):"):
                    chain.line(f"{due} = {NEVER}")
            met = above_loop(chain, scope, self.joiner)
            at, other, rest = chain.local("at"), chain.local("other"), chain.local("rest")
            with chain.block(f"for {at}, {rest}, ({other}, {rest}) in {found}:"):
                self._write_joined(chain, met, value, other, f"{at} if {at} > {ts} else {ts}")
        if parts is not None and self.other_may_miss:
            with chain.block("else:"):
                self._write_unmatched(chain, scope, kb, value, parts)

    def _write_unmatched(self, chain: Chain, scope: RecordScope, kb: str, value: str, parts: Parts) -> None:
        """The record met none: it waits, unless it is due already."""
        ts, due = scope.timestamp, chain.local("due_at")
        chain.line(f"{due} = {ts} + {self.windows.reach_ms(right=self.is_right) + self.windows.grace_ms + 1}")
        with chain.block(f"if {due} <= {parts.clock.now}:"):
            self._write_joined(chain, scope, value, "None", ts)
        with chain.block("else:"):
            with chain.at(self, "serialization"):
                _, vb = chain.value_bytes_under(scope, self.schema)
            chain.line(f"{parts.wait}({ts}, {kb}, {vb}, {self.lane})")
            chain.line(f"if {due} < {parts.closing.due}: {parts.closing.due} = {due}")

    def _write_joined(self, chain: Chain, scope: RecordScope, mine: str, theirs: str, timestamp: str) -> None:
        values = (theirs, mine) if self.is_right else (mine, theirs)
        write_joined(chain, self, self.joiner, scope, values, timestamp)

    def _prepared(self, chain: Chain) -> Parts:
        (node,) = chain.children(self)
        known = chain.module.states.get(id(node))
        if known is None:
            known = chain.module.states[id(node)] = self._prepare(chain, node)
        return known

    def _prepare(self, chain: Chain, node: Node) -> Parts:
        assert isinstance(node, StreamJoin)
        assert node.spec is not None
        windows, name = self.windows, node.spec.name
        waits = windows.before_ms + windows.grace_ms, windows.after_ms + windows.grace_ms
        clock = operator_clock(chain, name, node)
        made = f"{chain.bind(Unmatched, 'Unmatched')}(stores[{name!r}], {waits})"
        unmatched = chain.of_task("unmatched", made)
        due = chain.cell("due", str(NEVER))
        settle = f"{due} = {unmatched}.due()"
        chain.module.restored.append(settle)

        def write(body: Chain, scope: RecordScope) -> None:
            waiting, vb, kb = body.local("waiting"), body.local("vb"), body.local("kb")
            # Each is taken out before it is forwarded: where a user's function fails and the record that moved the
            # clock is skipped, the next call goes on behind it.
            with body.block(f"while ({waiting} := {unmatched}.take(now)) is not None:"):
                body.line(f"{kb} = {waiting}.key")
                of_record = replace(scope, timestamp=f"{waiting}.time", key_bytes=kb, key_not_null=True)
                with body.block(f"for {vb} in {waiting}.values:"):
                    with body.block(f"if {waiting}.lane == {RIGHT}:"):
                        value = body.deserialize(self.right.value_serde(), vb)
                        told = replace(of_record, schema=self.right)
                        write_joined(body, self, self.joiner, told, ("None", value), told.timestamp)
                    with body.block("else:"):
                        value = body.deserialize(self.left.value_serde(), vb)
                        told = replace(of_record, schema=self.left)
                        write_joined(body, self, self.joiner, told, (value, "None"), told.timestamp)
            body.line(settle)

        closing = on_clock(chain, node, clock, due, "unmatched", write)
        return Parts(clock, closing, unmatched, chain.of_task("wait", f"stores[{name!r}].add"))


def may_miss(join: StreamJoinKind, *, right: bool) -> bool:
    """Whether results may lack that side."""
    return join == "outer" or (join == "left" and right)


def last_met(timestamp: str, ahead_ms: int) -> str:
    """The text of the last time of records that one with `timestamp` meets: never before 0, as in Kafka Streams, so
    that what lies wholly before 0 ends there. Source: `KStreamKStreamJoin.process`."""
    return f"{timestamp} + {ahead_ms}" if ahead_ms >= 0 else f"max(0, {timestamp} - {-ahead_ms})"


def above_loop(chain: Chain, scope: RecordScope, joiner: UserFunction) -> RecordScope:
    """Makes what all results of a record need, once."""
    if "key" in joiner.arguments:
        scope, _ = chain.key(scope)
    headers = chain.local("headers")
    chain.line(f"{headers} = {scope.headers}")
    return replace(scope, headers=headers)


def write_joined(
    chain: Chain, side: Node, joiner: UserFunction, scope: RecordScope, values: tuple[str, str], timestamp: str
) -> None:
    """Calls the joiner for the texts of a left and a right value and forwards what it gives."""
    (node,) = chain.children(side)
    seen, text = call(chain, scope, joiner, {"left": values[0], "right": values[1]}, hint="joiner")
    joined = chain.local("joined")
    chain.line(f"{joined} = {text}")
    result = seen.with_new_value(seen.schema.with_value(node.schema.value), joined)
    chain.forward(side, replace(result, timestamp=f"({timestamp})"))
