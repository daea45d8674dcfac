"""Compiles one sub-topology: its operators become one generated module with a run function for each source topic.

The module has one function, `build(binding)`, whose closure is a task: the clocks of its operators are variables of the
closure, its stores, producer and watermarks are names fetched once at the top.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from types import CodeType, MappingProxyType
from typing import TYPE_CHECKING, Any

from stores import KeyValueSpec
from streams.compile.chain import CHANGED_BY, Chain, ModulePlan
from streams.compile.clock import NEVER, NO_RECORD, task_clock
from streams.compile.failure_finder import FailureFinder
from streams.compile.in_flight import (
    complete_task_time,
    has_to_drain,
    lines_of_task,
    stores_below,
    write_marks,
    write_settle,
)
from streams.compile.namespace import Namespace
from streams.compile.program import SourceRun, SubtopologyProgram, TaskBinding, TaskProgram
from streams.compile.scope import RecordScope
from streams.compile.source_function import write_source_function
from streams.compile.source_text import SourceText
from streams.compile.tidy import tidied
from streams.graph.node import Node
from streams.inflight import InFlight
from streams.operators.map_async import MapAsync
from streams.operators.process import Process
from streams.state import StoreDeclaration

if TYPE_CHECKING:
    from streams.processors import TaskProcessors

FETCHED = ("stores", "watermarks", "counters", "produce", "produce_full", "least_time", "may_skip", "partitions")
"""What the code takes of its binding, under the same names."""


def compile_subtopology(
    name: str,
    nodes: Sequence[Node],
    sources: Mapping[str, Node],
    held_back: Sequence[str],
    declarations: Mapping[str, StoreDeclaration[Any]] = MappingProxyType({}),
) -> SubtopologyProgram:
    """Generates and compiles the code of one sub-topology.

    Args:
        name: shown as the file of generated lines in tracebacks.
        nodes: its operators, parents first; a repartition counts where it is written and where it is read.
        sources: the node at which each source topic enters.
        held_back: the source topics that carry watermarks, which are its repartition topics.
        declarations: the stores its processors may name, as they see them.
    """
    namespace = Namespace()
    module = ModulePlan(namespace=namespace, nodes=nodes, declarations=declarations)
    functions = SourceText()
    for topic in held_back:
        module.watermarks[topic] = cell = namespace.fresh("watermark")
        module.cells[cell] = f"watermarks[{topic!r}].value"
    expiring = _expiring(nodes, declarations)
    below = stores_below(nodes, expiring, declarations) if module.in_flight else set[str]()
    if expiring:
        clock = task_clock(Chain(module, functions))
        module.advances.append(f"expire_rows({clock.now})")
        if below:
            module.advances.append(f"if not in_flight.count: expire_below({clock.now})")
    entering = list(sources.values())
    for node in nodes:
        parents = [parent for parent in node.heard_parents if any(parent is other for other in nodes)]
        named = any(parent.calls_children and _has_siblings(nodes, node, parent) for parent in parents)
        if (len(parents) > 1 or named or node.called_by_key_bytes) and not any(node is other for other in entering):
            module.shared[id(node)] = namespace.fresh("node_" + node.kind.replace("-", "_"))
    for node in nodes:
        if id(node) in module.shared:
            _write_shared(module, functions, node)
    runs: list[tuple[str, str]] = []
    for topic, node in sources.items():
        run = namespace.fresh("topic_" + "".join(c if c.isalnum() else "_" for c in topic))
        write_source_function(module, functions, node, topic, run)
        runs.append((topic, run))
        namespace.bind(node, f"entry_{run}")

    text = SourceText()
    with text.block("def build(binding, processors):"):
        for fetched in FETCHED:
            text.line(f"{fetched} = binding.{fetched}")
        text.line("drop = dropping(binding.drop)")
        if module.in_flight:
            text.line("in_flight = InFlight(binding)")
        for cell, initial in module.cells.items():
            text.line(f"{cell} = {initial}")
        for line in [*lines_of_task(module), *module.prologue]:
            text.line(line)
        text.line()
        _write_expiry(text, expiring, below)
        marks = write_marks(module, text)
        _write_time_functions(module, text, [run for _, run in runs], bool(expiring), marks)
        text.append(functions)
        for function in module.functions:
            text.append(function)
        _write_flush(module, text)
        write_settle(module, text)
        for topic, run in runs:
            entry = namespace.bind(sources[topic], f"entry_{run}")
            text.line(f"source_{run} = SourceRun({entry}, run_{run}, head_time_{run})")
        table = ", ".join(f"{topic!r}: source_{run}" for topic, run in runs)
        for line in module.epilogue:
            text.line(line)
        told = "".join(f", {name}={name}" for name in _functions_of_task(module))
        text.line(f"return TaskProgram({{{table}}}, processors{told})")
    _complete(text, module, moved="; expire_rows({now})" if set(expiring) - below else "", below=below)
    text = tidied(text)
    source = text.text

    filename = f"<headrace {name}>"
    failures = FailureFinder(filename, text)
    namespace.names.update(
        SourceRun=SourceRun,
        TaskProgram=TaskProgram,
        InFlight=InFlight,
        no_record=NO_RECORD,
        record_failure=failures.find,
        dropping=failures.dropping,
    )
    exec(_code(source, filename), namespace.names)
    lines = source.splitlines(keepends=True)
    linecache.cache[filename] = (len(source), None, lines, filename)
    build: Callable[[TaskBinding, TaskProcessors], TaskProgram] = namespace.names["build"]
    return SubtopologyProgram(
        filename=filename,
        source=source,
        build=build,
        clocks=frozenset(module.clocks),
        emits_at_commit=bool(module.held_changes),
        calls_async=any(isinstance(node, MapAsync) for node in nodes),
        drains=bool(module.in_flight) and has_to_drain(module, entering),
    )


@lru_cache(maxsize=256)
def _code(source: str, filename: str) -> CodeType:
    """Kept, as what `tidied` finds is, and for the same reason."""
    return compile(source, filename, "exec")


def _write_shared(module: ModulePlan, text: SourceText, node: Node) -> None:
    """The function of an operator that several ways lead to."""
    chain = Chain(module, text)
    name = module.shared[id(node)]
    change = "value, old" if node.hears_old else "value"
    if node.hears_latest:
        change += ", latest"
    with text.at(node), text.function(f"def {name}(key, {change}, ts, headers, m):"):
        text.line("#nonlocal")
        scope = RecordScope(
            schema=node.schema,
            timestamp="ts",
            headers="headers",
            key=None if node.called_by_key_bytes else "key",
            key_bytes="key" if node.called_by_key_bytes else None,
            value="value",
            old_value="old" if node.hears_old else None,
            latest="latest" if node.hears_latest else None,
        )
        node.write(chain, scope, node.heard_parents[0])


def _has_siblings(nodes: Sequence[Node], node: Node, parent: Node) -> bool:
    return any(other is not node and any(each is parent for each in other.heard_parents) for other in nodes)


def _expiring(nodes: Sequence[Node], declarations: Mapping[str, StoreDeclaration[Any]]) -> list[str]:
    """The names of the stores whose rows expire by the task's clock."""
    specs = [*(node.store for node in nodes), *(each.spec for each in declarations.values())]
    return sorted({s.name for s in specs if isinstance(s, KeyValueSpec) and s.expire_after_ms is not None})


def _write_expiry(text: SourceText, expiring: Sequence[str], below: Collection[str]) -> None:
    """What has stores follow the task's clock; those `below` lines follow it as of the records that come out there."""
    if expiring:
        with text.function("def expire_rows(now):"):
            for store in expiring:
                if store not in below:
                    text.line(f"stores[{store!r}].advance(now)")
            text.line("pass")
    if below:
        with text.function("def expire_below(now):"):
            for store in sorted(below):
                text.line(f"stores[{store!r}].advance(now)")


def _write_time_functions(
    module: ModulePlan, text: SourceText, runs: Sequence[str], expiring: bool, marks: Sequence[str]
) -> None:
    """Small functions about time that all run functions share. `expiring`: stores follow the task's clock; `marks`:
    what has watermarks pass through lines of records in flight."""
    with text.function("def refresh_watermarks():"):
        text.line("#nonlocal")
        for topic, cell in module.watermarks.items():
            text.line(f"{cell} = watermarks[{topic!r}].value")
        if expiring and module.watermarks and module.task_clock is not None:
            text.line(f"expire_rows({module.task_clock.now})")
        text.line("pass")
    with text.function("def advance_stores():"):
        for line in module.advances:
            text.line(line)
        text.line("pass")
    with text.function("def task_clock_moved():"):
        text.line("#nonlocal")
        for event in module.task_events:
            event.write_check(Chain(module, text))
        text.line("pass")
    with text.function("def watermark_moved():"):
        text.line("refresh_watermarks()")
        for event in module.clock_events:
            event.write_check(Chain(module, text))
        if module.in_flight and module.task_events:
            text.line(f"if ({_waiting(module)}) and not in_flight.has_to_empty(): task_clock_moved()")
        else:
            for event in module.task_events:
                event.write_check(Chain(module, text))
        for mark in marks:
            text.line(mark)
    with text.function("def watermark_advanced():"):
        text.line("refresh_watermarks()")
        for mark in marks:
            text.line(mark)
        text.line("advance_stores()")
    if _has_processors(module):
        with text.function("def punctuate(now):"):
            with text.block("try:"):
                text.line("processors.on_wall_clock.run(now)")
            with text.block("except Exception as error:"):
                text.line("raise record_failure(-1, error)")
            with text.block("finally:"):
                text.line("advance_stores()")
    if module.clock_events:
        with text.function("def holding():"):
            text.line("held = {}")
            for event in module.clock_events:
                text.line(f"if {event.due} < {NEVER}: held[{event.node.label!r}] = {event.clock.now}")
            text.line("return held")
    if module.clocks:
        with text.function("def clocks():"):
            text.line("return {" + ", ".join(f"{store!r}: {cell}" for store, cell in module.clocks.items()) + "}")
    with text.function("def restore_clocks(known):"):
        text.line("#nonlocal")
        for store, cell in module.clocks.items():
            text.line(f"{cell} = max({cell}, known.get({store!r}, -1))")
        if module.task_clock is not None:  # the partitions' times came with their offsets
            times = ", ".join(f"source_{run}.max_timestamp" for run in runs)
            text.line(f"{module.task_clock.time} = max({module.task_clock.time}, {times})")
        for line in module.restored:
            text.line(line)
        text.line("advance_stores()")


def _has_processors(module: ModulePlan) -> bool:
    return any(isinstance(node, Process) for node in module.nodes)


def _functions_of_task(module: ModulePlan) -> list[str]:
    """What the program of a task is told by name, besides its sources; functions without a use are not there."""
    there = {
        "in_flight": bool(module.in_flight),
        "clocks": bool(module.clocks),
        "restore_clocks": True,
        "watermark_advanced": True,
        "holding": bool(module.clock_events),
        "flush": bool(module.held_changes),
        "punctuate": _has_processors(module),
        "settle": bool(module.in_flight),
    }
    return [name for name, used in there.items() if used]


def _write_flush(module: ModulePlan, text: SourceText) -> None:
    """The function that forwards what tables held back for the commit, upstream first."""
    stores = dict.fromkeys(node.store.name for node in module.nodes if node.store is not None)
    waiting = [module.held_changes[store] for store in stores if store in module.held_changes]
    if not waiting:
        return
    with text.function("def flush():"):
        text.line("#nonlocal")
        with text.block("try:"):
            for held in waiting:
                text.line(f"{held.function}()")
            for line in module.flushed:
                text.line(line)
        with text.block("except Exception as error:"):
            text.line(f"raise record_failure(-1, error, {module.states[CHANGED_BY]})")


def _waiting(module: ModulePlan) -> str:
    """The text that says if something is due by the task's clock."""
    return " or ".join(f"{event.clock.now} >= {event.due}" for event in module.task_events)


def _complete(text: SourceText, module: ModulePlan, *, moved: str, below: Collection[str]) -> None:
    """Fills in what is known only when all operators are written.

    Each function that assigns variables of the closure names them; each run function moves the task's clock and looks
    at what waits for it. `moved`: what is done at once where a record has moved the clock to `{now}`, before operators
    see it.
    """
    cells, clock = module.cells, module.task_clock
    waiting = _waiting(module)
    text.replace("#nonlocal", "nonlocal " + ", ".join(cells) if cells else "pass")
    time = "pass"
    if clock is not None:
        time = f"if ts > {clock.time}: {clock.time} = ts{moved.format(now=clock.now)}"
    text.replace("#task_time", time)
    if module.in_flight:
        now, cell = ("-1", None) if clock is None else (clock.now, clock.time)
        complete_task_time(text, module, now, cell, below)
    events = "pass"
    if waiting and module.in_flight:
        events = f"if ({waiting}) and (in_flight.has_to_empty() or task_clock_moved()): return index + 1"
    elif waiting:
        events = f"if {waiting}: task_clock_moved()"
    text.replace("#task_events", events)
