"""Generated code around operators with records in flight.

    def forward_score(key, value, ts, headers, m, then): …   # what follows the operator, once a record's turn has come
    def settle(): line.step(); …                             # between runs: lets out what is done, upstream first

The order of a run without such operators is kept. A watermark that was read waits in the line behind the records that
came before it, and clocks behind the operator see it when these are out. A record that makes something due by the
task's clock ends the run: no input is taken before all records in flight are out, then it happens, then input goes on.
A record that would get ahead of others, since its way to some state does not lead through their line, waits likewise.
While a record is let out the task's clock is what it was when the record came.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from streams.compile.chain import Chain, LineNames, ModulePlan
from streams.compile.scope import RecordScope
from streams.compile.source_text import SourceText
from streams.graph.node import Node
from streams.operators.filter import Filter
from streams.operators.map import Map
from streams.operators.map_values import MapValues
from streams.operators.merge import Merge
from streams.operators.peek import Peek
from streams.operators.process import Process
from streams.operators.repartition import Repartition
from streams.operators.select_key import SelectKey
from streams.operators.source import Source
from streams.state import StoreDeclaration

TASK_TIME_NOW = "__task_time_now__"
"""Stands in the text for the task's clock, which is known when all operators are written."""
TASK_TIME_THEN = "#then"
TASK_TIME_AGAIN = "#at_read"
WITHOUT_EFFECT = (Source, Repartition, Filter, Map, MapValues, SelectKey, Peek, Merge)
"""Operators that leave nothing behind of a record but what they forward: one, or none."""


def line_of(chain: Chain, node: Node, scope: RecordScope, make: Callable[..., Any]) -> LineNames:
    """The operator's line, with the function of what follows; written once."""
    module = chain.module
    names = module.lines.get(id(node))
    if names is None:
        line, take = module.line_name(node), chain.local("take")
        by_key_bytes = scope.key is None and scope.key_bytes is not None
        names = module.lines[id(node)] = LineNames(line, take, chain.bind(make, "make_line"), by_key_bytes)
        forward = module.namespace.fresh("forward")
        text = SourceText()
        body = Chain(module, text)
        with text.at(node), text.block(f"def {forward}(key, value, ts, headers, m, then):"):
            text.line("#nonlocal")
            text.line(f"{TASK_TIME_THEN} {names.line};")
            with text.block("try:"):
                out = RecordScope(
                    schema=node.schema,
                    timestamp="ts",
                    headers="headers",
                    key=None if names.by_key_bytes else "key",
                    key_bytes="key" if names.by_key_bytes else None,
                    value="value",
                )
                body.forward(node, out)
            with text.block("finally:"):
                text.line(TASK_TIME_AGAIN)
        text.line()
        module.functions.append(text)
        module.epilogue.append(f"{line}.forward = {forward}")
    return names


def lines_of_task(module: ModulePlan) -> list[str]:
    """The lines of text that make a task's lines, upstream first."""
    named = [module.lines[id(node)] for node in module.in_flight]
    return [f"{each.line} = in_flight.add({each.make}); {each.take} = {each.line}.take" for each in named]


def complete_task_time(
    text: SourceText, module: ModulePlan, now: str, cell: str | None, expiring: Collection[str]
) -> None:
    """Fills in the task's clock: its text `now`, its cell (None: nobody asks for it). `expiring`: stores behind lines
    that follow it, each as of the records that come out of the line before it."""
    text.replace(TASK_TIME_NOW, now)
    for node in module.in_flight:
        then = "pass"
        if cell is not None:
            then = f"at_read, {cell} = {cell}, then"
            followed = _reached(Chain(module, SourceText()), node, past_lines=False)
            stores = {name for each in module.nodes if id(each) in followed for name in _stores_of(each)}
            then += "".join(f"; stores[{name!r}].advance(then)" for name in sorted(stores.intersection(expiring)))
        text.replace(f"{TASK_TIME_THEN} {module.line_name(node)};", then)
    text.replace(TASK_TIME_AGAIN, "pass" if cell is None else f"{cell} = at_read")


def write_settle(module: ModulePlan, text: SourceText) -> None:
    """The function that lets out what is done."""
    if not module.in_flight:
        return
    with text.block("def settle():"):
        for node in module.in_flight:
            line = module.lines[id(node)].line
            with text.at(node):
                with text.block("try:"):
                    text.line(f"{line}.step()")
                with text.block("except Exception as error:"):
                    text.line(f"raise record_failure(-1, error, {line}.message)")
                with text.block("finally:"):
                    text.line("advance_stores()")
        with text.block("if in_flight.is_empty_now():"):
            with text.block("try:"):
                text.line("task_clock_moved()")
            with text.block("except Exception as error:"):
                text.line("raise record_failure(-1, error)")
    text.line()


def write_marks(module: ModulePlan, text: SourceText) -> list[str]:
    """The functions that have watermarks pass through lines; returns the calls that do it for those that were read."""
    marked: list[str] = []
    for node in module.in_flight:
        passed = module.passed.get(id(node))
        if passed:
            if any(cell in module.watermarks.values() for cell in passed):
                marked.append(f"mark_{module.lines[id(node)].line}()")
            _write_mark(module, text, module.lines[id(node)].line, passed)
    return marked


def _write_mark(module: ModulePlan, text: SourceText, line: str, passed: Mapping[str, str]) -> None:
    told = ", ".join(passed)
    with text.block(f"def mark_{line}():"):
        text.line(f"mark = ({told},)")
        text.line(f"{line}.mark(lambda: passed_{line}(mark))")
    with text.block(f"def passed_{line}(mark):"):
        text.line("#nonlocal")
        text.line(f"({', '.join(passed.values())},) = mark")
        for event in module.clock_events:
            event.write_check(Chain(module, text))
        for node in module.in_flight:  # those further down
            if any(cell in module.passed.get(id(node), ()) for cell in passed.values()):
                text.line(f"mark_{module.lines[id(node)].line}()")
    text.line()


def stores_below(
    nodes: Sequence[Node], stores: Sequence[str], declarations: Mapping[str, StoreDeclaration[Any]]
) -> set[str]:
    """Those of the stores that only operators behind lines use."""
    below = _below(nodes)
    used_above = {name for node in nodes if id(node) not in below for name in _stores_of(node)}
    shared = {name for name, each in declarations.items() if each.everywhere}
    return set(stores) - used_above - shared


def _below(nodes: Sequence[Node]) -> set[int]:
    below: set[int] = set()
    for node in nodes:  # parents first
        if any(parent.in_flight or id(parent) in below for parent in node.parents) and not _enters(node, nodes):
            below.add(id(node))
    return below


def _enters(node: Node, nodes: Sequence[Node]) -> bool:
    return isinstance(node, Repartition) and any(node is parent for other in nodes for parent in other.parents)


def lines_overtaken(module: ModulePlan, source: Node) -> list[str]:
    """The lines that have to be empty before a record of `source` is taken, lest it gets ahead of what is in them.

    Behind a line stands state that the source's records come to past the line (the other side of a join, its table, a
    stream that is merged again), or through another line.
    """
    chain = Chain(module, SourceText())
    reached = _reached(chain, source)
    direct = _reached(chain, source, past_lines=False)
    lines = {id(line): line for line in module.in_flight}
    mine = {each for each in reached if each in lines}
    overtaken: set[int] = set()
    for node in module.nodes:
        touched = _touched(module, node)
        if not touched:
            continue
        before = {each for each, line in lines.items() if id(node) in _reached(chain, line)}
        if not before:
            continue
        if direct & touched:
            overtaken |= before
        last = {each for each, line in lines.items() if id(node) in _reached(chain, line, past_lines=False)}
        if len(last) > 1 and mine & before:
            overtaken |= before if len(mine & last) > 1 else before - mine
    return [module.line_name(line) for line in module.in_flight if id(line) in overtaken]


def _reached(chain: Chain, node: Node, *, past_lines: bool = True) -> set[int]:
    """The operators that hear of `node`'s records; not past lines: up to the next lines, these included."""
    found: set[int] = set()
    queue = [node]
    while queue:
        current = queue.pop()
        for child in [*chain.children(current), *chain.children(current, late=True)]:
            if id(child) not in found:
                found.add(id(child))
                if past_lines or not child.in_flight:
                    queue.append(child)
    return found


def _touched(module: ModulePlan, node: Node) -> set[int]:
    """The operators whose state `node` works with: itself, those it shares a store with, the tables it looks into."""
    stores = _stores_of(node)
    touched = {id(node)} if stores or isinstance(node, Process) else set[int]()
    touched |= {id(other) for other in module.nodes if stores & _stores_of(other)}
    queue = list(node.looks_into)
    while queue:
        table = queue.pop()
        touched.add(id(table))
        if not isinstance(table, Repartition):
            queue.extend(table.parents)
    return touched


def _stores_of(node: Node) -> set[str]:
    return {*node.connected_stores, *([node.store.name] if node.store is not None else ())}


def has_to_drain(module: ModulePlan, sources: Sequence[Node]) -> bool:
    """Whether a commit has to wait for the records in flight.

    It has not where each source comes to its lines by one way, on which nothing else is made of a record: then the
    source's position is its first record in flight, and what was read after it has left no trace but in the lines.
    """
    return any(not _is_plain(Chain(module, SourceText()), source) for source in sources)


def _is_plain(chain: Chain, source: Node) -> bool:
    if isinstance(source, Repartition):
        return not _leads_to_line(chain, source)  # its watermarks are remembered as they were read
    node = source
    while _leads_to_line(chain, node):
        children = [*chain.children(node), *chain.children(node, late=True)]
        if len(children) != 1 or not (node.in_flight or isinstance(node, WITHOUT_EFFECT)):
            return False
        node = children[0]
    return True


def _leads_to_line(chain: Chain, node: Node) -> bool:
    """Whether records of `node` come to an operator with records in flight."""
    children = [*chain.children(node), *chain.children(node, late=True)]
    return any(child.in_flight or _leads_to_line(chain, child) for child in children)
