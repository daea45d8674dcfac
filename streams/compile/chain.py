"""The writer that operators write their code with.

One `Chain` writes one generated function: the run of a source topic, or the function of an operator that is reached
on several ways. An operator's `write` asks it for the parts of the record it needs (decoded at the first need, never
twice), writes its own lines, and hands on with `forward`.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from msgspec.structs import replace

from stores import MISSING
from streams.compile.namespace import Namespace
from streams.compile.scope import RecordScope
from streams.compile.source_text import FailureKind, SourceText
from streams.graph.node import Node
from streams.graph.schema import Schema
from streams.serde import Serde

if TYPE_CHECKING:
    from streams.compile.clock import Clock, ClockEvent
    from streams.state import StoreDeclaration


CHANGED_BY = "changed by"
"""The place, among the module's prepared things, of the cell with the record that the change being forwarded at the
commit came of."""


class HeldChanges(Struct, frozen=True):
    """Changes of a table that wait for the commit: the dict that holds them, and the function that forwards them."""

    changed: str
    function: str


class LineNames(Struct, frozen=True):
    """The line of an operator that has records in flight, the method by which a record gets into it, and what makes it.

    `by_key_bytes`: keys are in the line as they are serialised.
    """

    line: str
    take: str
    make: str
    by_key_bytes: bool


class ModulePlan(Struct):
    """What all functions of one generated module share while it is written."""

    namespace: Namespace
    nodes: Sequence[Node]
    """The operators of the sub-topology."""
    watermarks: dict[str, str] = field(default_factory=dict[str, str])
    """Repartition source topic -> the cell that holds its watermark."""
    cells: dict[str, str] = field(default_factory=dict[str, str])
    """Mutable variables of the task's closure -> the text of their first value."""
    prologue: list[str] = field(default_factory=list[str])
    """Lines at the top of the task's closure, which fetch what belongs to the task."""
    looked_up: dict[str, str] = field(default_factory=dict[str, str])
    """Text of a lookup among them -> the name that it is bound to."""
    advances: list[str] = field(default_factory=list[str])
    """Lines that move the clocks of the stores, run when a batch ends."""
    clocks: dict[str, str] = field(default_factory=dict[str, str])
    """Name -> the cell of a time that survives a restart: the clock of the operator that keeps the store so named."""
    operator_clocks: dict[str, Clock] = field(default_factory=dict[str, "Clock"])
    """Name -> the clock that is remembered under it."""
    clock_events: list[ClockEvent] = field(default_factory=list["ClockEvent"])
    """What happens when operators' clocks move, upstream first."""
    task_clock: Clock | None = None
    """The clock of the whole task, where something reads it."""
    task_events: list[ClockEvent] = field(default_factory=list["ClockEvent"])
    """What happens when the task's clock moves."""
    restored: list[str] = field(default_factory=list[str])
    """Lines run when the remembered times are back: what follows from them is made anew."""
    held_changes: dict[str, HeldChanges] = field(default_factory=dict[str, HeldChanges])
    """What tables forward at the commit, by the store that keeps their rows (the inputs of a cogroup share it)."""
    flushed: list[str] = field(default_factory=list[str])
    """Lines run when the tables have forwarded what they held back."""
    lines: dict[int, LineNames] = field(default_factory=dict[int, LineNames])
    """Operators with records in flight, by id."""
    line_names: dict[int, str] = field(default_factory=dict[int, str])
    """The names of the lines, by the same ids."""
    passed: dict[int, dict[str, str]] = field(default_factory=dict[int, dict[str, str]])
    """By the id of such an operator: cell of a watermark above it -> the cell that has what the watermark was when the
    last record that came out had come in."""
    functions: list[SourceText] = field(default_factory=list[SourceText])
    """Functions beside those of sources and shared operators."""
    epilogue: list[str] = field(default_factory=list[str])
    """Lines at the end of the task's closure, where all functions are known."""
    declarations: Mapping[str, StoreDeclaration[Any]] = field(default_factory=dict[str, "StoreDeclaration[Any]"])
    """The stores that processors may name, as they see them."""
    shared: dict[int, str] = field(default_factory=dict[int, str])
    """Operators that are functions of their own, by id -> function name."""
    states: dict[object, Any] = field(default_factory=dict[object, Any])
    """What an operator prepared once for the module (names of its cells), by the operator's id and whatever else."""

    @property
    def in_flight(self) -> list[Node]:
        """The operators with records in flight, parents first."""
        return [node for node in self.nodes if node.in_flight]

    def line_name(self, node: Node) -> str:
        """The name of the line of such an operator."""
        name = self.line_names.get(id(node))
        if name is None:
            name = self.line_names[id(node)] = self.namespace.fresh("line")
        return name


class Chain:
    """Writes the body of one generated function."""

    def __init__(self, module: ModulePlan, text: SourceText) -> None:
        self.module = module
        self.text = text

    # -- names ----------------------------------------------------------------------------------------------------
    def bind(self, value: Any, hint: str) -> str:
        """A module name for a function, decoder or constant."""
        return self.module.namespace.bind(value, hint)

    def local(self, hint: str) -> str:
        """A fresh local variable."""
        return self.module.namespace.fresh(hint)

    def cell(self, hint: str, initial: str) -> str:
        """A variable that lives as long as the task and is shared by its functions."""
        name = self.module.namespace.fresh(hint)
        self.module.cells[name] = initial
        return name

    def of_task(self, hint: str, expression: str) -> str:
        """A name bound once per task to `expression`; where that only looks something up, all who ask share it."""
        shared = "(" not in expression and expression != "{}"
        name = self.module.looked_up.get(expression) if shared else None
        if name is None:
            name = self.module.namespace.fresh(hint)
            self.module.prologue.append(f"{name} = {expression}")
            if shared:
                self.module.looked_up[expression] = name
        return name

    @property
    def missing(self) -> str:
        return self.bind(MISSING, "MISSING")

    # -- lines ----------------------------------------------------------------------------------------------------
    def line(self, text: str) -> None:
        self.text.line(text)

    @contextmanager
    def block(self, header: str) -> Generator[None]:
        with self.text.block(header):
            yield

    @contextmanager
    def at(self, node: Node, kind: FailureKind = "processing") -> Generator[None]:
        with self.text.at(node, kind):
            yield

    # -- parts of the record --------------------------------------------------------------------------------------
    def key(self, scope: RecordScope) -> tuple[RecordScope, str]:
        """The local that holds the decoded key (None for a null key), decoding it here if nobody did."""
        if scope.key is not None:
            return scope, scope.key
        name = self.local("key")
        text = scope.key_source
        if text is None:
            text = self.deserialize(scope.schema.key_serde(), scope.key_bytes or "None")
            if not scope.key_not_null:
                text = f"None if {scope.key_bytes} is None else {text}"
        with self.text.decoding_key():
            self.line(f"{name} = {text}")
        return replace(scope, key=name), name

    def key_bytes(self, scope: RecordScope) -> tuple[RecordScope, str]:
        """The local that holds the serialised key (None for a null key)."""
        if scope.key_bytes is not None:
            return scope, scope.key_bytes
        name = self.local("kb")
        if scope.key_bytes_source is not None:
            self.line(f"{name} = {scope.key_bytes_source}")
        else:
            scope, key = self.key(scope)
            encode = self.serialize(scope.schema.key_serde(), key)
            self.line(f"{name} = {encode}" if scope.key_not_null else f"{name} = None if {key} is None else {encode}")
        return replace(scope, key_bytes=name), name

    def value(self, scope: RecordScope) -> tuple[RecordScope, str]:
        """The local that holds the decoded value."""
        if scope.value is not None:
            return scope, scope.value
        name = self.local("value")
        self.line(f"{name} = {scope.value_source}")
        return replace(scope, value=name, value_source=None), name

    def value_bytes(self, scope: RecordScope, *, never_null: bool = False) -> tuple[RecordScope, str]:
        """The local that holds the serialised value (None for a null value)."""
        if scope.value_bytes is not None:
            return scope, scope.value_bytes
        name = self.local("vb")
        if scope.value is None and scope.value_source is not None:  # made in place, hence never null
            self.line(f"{name} = {self.serialize(scope.schema.value_serde(), scope.value_source)}")
        else:
            scope, value = self.value(scope)
            encode = self.serialize(scope.schema.value_serde(), value)
            self.line(f"{name} = {encode}" if never_null else f"{name} = None if {value} is None else {encode}")
        return replace(scope, value_bytes=name), name

    def key_bytes_under(self, scope: RecordScope, schema: Schema) -> tuple[RecordScope, str]:
        """The serialised key under another schema's serde: the bytes at hand are reused only where it is the same."""
        if scope.schema.key_serde() != schema.key_serde():
            scope, _ = self.key(scope)
            scope = replace(scope, schema=scope.schema.with_key(schema.key), key_bytes=None, key_bytes_source=None)
        return self.key_bytes(scope)

    def value_bytes_under(self, scope: RecordScope, schema: Schema) -> tuple[RecordScope, str]:
        """The serialised value under another schema's serde."""
        if scope.schema.value_serde() != schema.value_serde():
            if scope.value_bytes is not None:
                scope, _ = self.value(scope)
            scope = replace(scope, schema=scope.schema.with_value(schema.value), value_bytes=None)
        return self.value_bytes(scope)

    def serialize(self, serde: Serde, expression: str) -> str:
        return f"{self.bind(serde.serialize, 'serialize_' + serde.name)}({expression})"

    def deserialize(self, serde: Serde, expression: str) -> str:
        return f"{self.bind(serde.deserialize, 'deserialize_' + serde.name)}({expression})"

    # -- handing on -----------------------------------------------------------------------------------------------
    def children(self, node: Node, *, late: bool = False) -> list[Node]:
        """The operators that hear `node`: its results, or the records that were too late for it."""
        return [
            child
            for child in self.module.nodes
            if child.takes_late is late and any(parent is node for parent in child.heard_parents)
        ]

    def forward(self, node: Node, scope: RecordScope, *, late: bool = False) -> None:
        """Writes what follows `node`: each child inline, or a call where the child is a function of its own."""
        children = self.children(node, late=late)
        if len(children) > 1:  # decode once, above the children's own blocks
            scope, _ = self.value(scope)
        for child in children:
            function = self.module.shared.get(id(child))
            if function is None:
                with self.dropping(scope, more=child is not children[-1]), self.at(child):
                    child.write(self, scope, node)
            else:
                by_bytes = child.called_by_key_bytes
                scope, key = self.key_bytes_under(scope, child.schema) if by_bytes else self.key(scope)
                scope, value = self.value(scope)
                change = f"{value}, {scope.old_value}" if child.hears_old else value
                if child.hears_latest:
                    change += f", {scope.latest or True}"
                with self.dropping(scope, more=child is not children[-1]):
                    self.line(f"{function}({key}, {change}, {scope.timestamp}, {scope.headers}, {scope.message})")
        if not children:
            self.line("pass")

    @contextmanager
    def dropping(self, scope: RecordScope, *, more: bool = False) -> Generator[None]:
        """What is written within may fail for a record and be passed over: it is dropped there, and what is left to do
        above is done (`more`, or `SourceText.unfinished`). Where nothing is left, failing ends the record anyway, and
        no guard is written. A guard costs nothing where nothing fails.

        Source: `ProcessorNode.process`, which asks the handler at each operator (KIP-1033).
        """
        if not (more or self.text.unfinished):
            yield
            return
        with self.block("try:"), self.text.nothing_follows():
            yield
        with self.block("except Exception as error:"):
            self.line(f"drop(error, {scope.message})")
