"""Clocks in generated code, and what is to happen when one has moved.

An operator that releases records later than it got them (final windows, suppressed updates, unmatched join partners,
punctuators) has a clock, a next due time, and a function of its own in the generated module:

    def close_daily(now): …                          # releases what is due and sets the next due time

    …                                                # in a run function, where the operator handles a record
    if ts > time_1: time_1 = ts
    …                                                # aggregates the record
    if time_1 >= due_1: close_daily(time_1)          # one comparison a record, no call

    if observe(m):                                   # the record was a watermark
        watermark_moved()                            # compares every clock with its due time
        continue

A clock is the largest timestamp its operator saw. Behind a repartition topic it is held back by the topic's watermark,
so a watermark can move it too; a watermark of "all are idle" lets it go to the largest timestamp seen, and no further.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from streams.compile.chain import Chain, ModulePlan
from streams.compile.program import NO_LIMIT, Headers
from streams.compile.scope import RecordScope
from streams.compile.source_text import SourceText
from streams.graph.node import Node
from streams.graph.schema import Schema
from streams.operators.repartition import Repartition
from streams.operators.table import Table

NEVER = NO_LIMIT
"""The due time of nothing."""


class Clock(Struct, frozen=True):
    """`time` is the cell of the largest timestamp seen, -1 at first; `now` the text of the clock as it is held back.

    `at_commit`: tables above forward their changes at the commit, so that watermarks move it only then.
    """

    time: str
    now: str
    at_commit: bool = False


class ClockEvent(Struct, frozen=True):
    """Something to be done once `clock` has reached `due`, a cell or an expression: `function(now)` does it.

    The function has to set the next due time, or it is called again for the next record. While nothing waits, the due
    time is `NEVER`: then the operator has nothing that could come out older than its next input.
    """

    node: Node
    clock: Clock
    due: str
    function: str

    def write_check(self, chain: Chain) -> None:
        """The comparison; to stand where a record has been handled completely."""
        chain.line(f"if {self.clock.now} >= {self.due}: {self.function}({self.clock.now})")


def operator_clock(chain: Chain, name: str, *nodes: Node) -> Clock:
    """The clock that a task remembers as `name`, one for all places its operator is written at.

    `nodes` is the operator, or those that share the clock: the watermarks above any of them hold it back. They move
    `time` themselves, by the records that count for them. Where a table above forwards its changes at the commit, a
    watermark counts once the table has forwarded what came before it.
    """
    module = chain.module
    clock = module.operator_clocks.get(name)
    if clock is None:
        time = remembered_time(chain, name, "time")
        holds = sorted({cell for node in nodes for cell in watermarks_above(module, node)})
        at_commit = bool(holds) and any(map(_fed_at_commit, nodes))
        if at_commit:
            holds = [_as_of_flush(chain, watermark) for watermark in holds]
        clock = module.operator_clocks[name] = Clock(time, held_back(time, holds), at_commit)
    return clock


def _fed_at_commit(node: Node) -> bool:
    """Whether records may come to `node` at the commit, later than those that made them."""
    return any(
        not isinstance(parent, Repartition)
        and ((isinstance(parent, Table) and parent.at_commit) or _fed_at_commit(parent))
        for parent in node.heard_parents
    )


def _as_of_flush(chain: Chain, watermark: str) -> str:
    """The cell with the value that the watermark's cell had when tables last forwarded what they held back."""
    cell = chain.cell("flushed_watermark", chain.module.cells[watermark])
    chain.module.flushed.append(f"{cell} = {watermark}")
    return cell


def task_clock(chain: Chain) -> Clock:
    """The clock of the task: the largest timestamp of all records it read, held back by all its watermarks.

    It has moved before a record's operators run. Source: `StreamTask.streamTime`.
    """
    module = chain.module
    if module.task_clock is None:
        time = chain.cell("task_time", "-1")
        module.task_clock = Clock(time, held_back(time, sorted(module.watermarks.values())))
    return module.task_clock


def remembered_time(chain: Chain, name: str, hint: str) -> str:
    """The cell of a time in ms, -1 at first, that survives a restart as `name`; it never goes back."""
    cell = chain.module.clocks.get(name)
    if cell is None:
        cell = chain.module.clocks[name] = chain.cell(hint, "-1")
    return cell


def on_clock(
    chain: Chain, node: Node, clock: Clock, due: str, hint: str, write: Callable[[Chain, RecordScope], None]
) -> ClockEvent:
    """Writes the function that is called when `clock` has reached `due`, and has watermarks call it.

    `write` gets the writer of the function's body and a scope without a record: its timestamp is the clock's time, its
    topic is empty, and what it forwards needs a key, a value and a timestamp of its own. An operator calls this once,
    however often it is written, and writes the event's check into its code; events on the task's clock are checked
    after each record by themselves.
    """
    module = chain.module
    event = ClockEvent(node, clock, due, module.namespace.fresh(hint))
    events = module.task_events if clock is module.task_clock else module.clock_events
    events.append(event)
    text = SourceText()
    body = Chain(module, text)
    with text.at(node), text.function(f"def {event.function}(now):"):
        text.line("#nonlocal")
        write(body, RecordScope(schema=Schema(), timestamp="now", headers="None", message="no_record"))
    module.functions.append(text)
    if clock.at_commit:
        module.flushed.append(f"if {clock.now} >= {due}: {event.function}({clock.now})")
    return event


def held_back(time: str, watermarks: list[str]) -> str:
    """The text of a clock that none of the watermarks' cells lets pass."""
    now = time
    for watermark in watermarks:
        now = f"({now} if {now} < {watermark} else {watermark})"
    return now


def watermarks_above(module: ModulePlan, node: Node) -> set[str]:
    """The cells of the watermarks that hold back `node`'s clock: of every repartition topic upstream of it here. Behind
    an operator with records in flight a watermark counts once the records that came before it are out."""
    cells: set[str] = set()
    seen: set[int] = set()
    queue = [node]
    while queue:
        current = queue.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        if current.in_flight and current is not node:
            for watermark in watermarks_above(module, current):
                cells.add(_as_it_passed(module, current, watermark))
            continue
        if isinstance(current, Repartition) and current is not node:
            if current.topic in module.watermarks:
                cells.add(module.watermarks[current.topic])
            continue
        queue.extend(current.heard_parents)
    return cells


def _as_it_passed(module: ModulePlan, node: Node, watermark: str) -> str:
    """The cell of a watermark behind an operator with records in flight."""
    passed = module.passed.setdefault(id(node), {})
    cell = passed.get(watermark)
    if cell is None:
        cell = passed[watermark] = module.namespace.fresh("passed_watermark")
        module.cells[cell] = module.cells[watermark]
    return cell


class NoRecord:
    """Stands for the message where time, not a record, made something happen. Source: `ProcessorContextUtils`, whose
    record context is empty in punctuators."""

    def topic(self) -> str:
        return ""

    def partition(self) -> int:
        return -1

    def offset(self) -> int:
        return -1

    def key(self) -> bytes | None:
        return None

    def value(self) -> bytes | None:
        return None

    def timestamp(self) -> tuple[int, int]:
        return (0, -1)

    def headers(self) -> Headers | None:
        return None


NO_RECORD = NoRecord()
