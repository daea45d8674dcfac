"""`process` and `process_values`: an object of the user's own as an operator.

The generated code calls the object for each record; what the object forwards comes back into generated code, by a
function that holds all that follows:

    def forward_alarm(key, value, ts, headers, m): …

    process_alarm(key, value, ts, headers, m)        # where the operator stands in a run function
"""

from __future__ import annotations

from typing import ClassVar

from streams.compile.chain import Chain
from streams.compile.clock import on_clock, task_clock
from streams.compile.scope import RecordScope
from streams.compile.source_text import SourceText
from streams.graph.node import Node
from streams.processors.supplier import ProcessorSupplier


class Process(Node, frozen=True, kw_only=True, eq=False):
    """Source: `KStreamImpl.process`. Null keys and values are passed on like any other. The key counts as changed."""

    kind: ClassVar[str] = "process"
    changes_key: ClassVar[bool] = True
    calls_children: ClassVar[bool] = True

    supplier: ProcessorSupplier
    store_names: tuple[str, ...] = ()

    @property
    def connected_stores(self) -> tuple[str, ...]:
        return self.store_names

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        process = chain.module.states.get(id(self))
        if process is None:
            process = chain.module.states[id(self)] = self._prepare(chain)
        scope, key = chain.key(scope)
        scope, value = chain.value(scope)
        chain.line(f"{process}({key}, {value}, {scope.timestamp}, {scope.headers}, {scope.message})")

    def _prepare(self, chain: Chain) -> str:
        """Writes the functions that the processor calls; returns the name of the one that calls it."""
        module = chain.module
        _follow_stream_time(chain, self)
        declarations = {
            name: each for name, each in module.declarations.items() if each.everywhere or name in self.store_names
        }
        running = chain.of_task(
            "processor",
            f"processors.add({chain.bind(self, 'node')}, {chain.bind(declarations, 'declarations')})",
        )
        process = chain.of_task("process", f"{running}.process")
        forward, punctuate = module.namespace.fresh("forward"), module.namespace.fresh("punctuate")
        text = SourceText()
        body = Chain(module, text)
        with text.at(self):
            with text.block(f"def {forward}(key, value, ts, headers, m):"):
                text.line("#nonlocal")
                with text.more_follows():  # the processor goes on
                    out = RecordScope(schema=self.schema, timestamp="ts", headers="headers", key="key", value="value")
                    body.forward(self, out)
            by_name: dict[str, str] = {}
            for child in body.children(self):
                by_name[child.label] = forward
                if (function := module.shared.get(id(child))) is not None:
                    name = by_name[child.label] = module.namespace.fresh("forward_to")
                    with (
                        text.block(f"def {name}(key, value, ts, headers, m):"),
                        text.more_follows(),
                        body.dropping(out),
                    ):
                        text.line(f"{function}(key, value, ts, headers, m)")
            with (
                text.block(f"def {punctuate}(punctuator, now):"),  # its line says whose punctuator failed
                text.more_follows(),  # others are due as well
                body.dropping(RecordScope(schema=self.schema, timestamp="now", headers="None", message="no_record")),
            ):
                text.line("punctuator(now)")
        text.line()
        module.functions.append(text)
        names = ", ".join(f"{label!r}: {name}" for label, name in by_name.items())
        module.epilogue.append(f"{running}.context.connect({forward}, {{{names}}}, {punctuate})")
        return process


class ProcessValues(Process, frozen=True, kw_only=True, eq=False):
    """Source: `KStreamImpl.processValues`. The key stays, and with it the partition."""

    kind: ClassVar[str] = "process-values"
    changes_key: ClassVar[bool] = False


STREAM_TIME = "stream time"
"""The place among the module's prepared things; operators have theirs by their ids."""


def _follow_stream_time(chain: Chain, node: Node) -> None:
    """Has the task's clock call its stream-time punctuators, and tell processors the time; once for the module."""
    module = chain.module
    if STREAM_TIME in module.states:
        return
    clock = task_clock(chain)
    due = chain.of_task("on_stream_time", "processors.on_stream_time") + ".due"

    def punctuate(body: Chain, scope: RecordScope) -> None:
        body.line("processors.on_stream_time.run(now)")

    on_clock(chain, node, clock, due, "punctuate_stream_time", punctuate)
    module.epilogue.append(f"processors.stream_time = lambda: {clock.now}")
    module.states[STREAM_TIME] = clock
