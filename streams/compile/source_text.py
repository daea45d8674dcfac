"""The generated module while it is being written: indented lines, each remembering the operator it belongs to."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Literal

from msgspec import Struct

from streams.errors import Part
from streams.graph.node import Node

FailureKind = Literal["deserialization", "processing", "serialization", "production"]
"""Which handler is asked: serialization and production failures are both of the record that was to be written."""


class Mark(Struct, frozen=True):
    """Whose line it is, and what has gone wrong when the line raises."""

    node: Node
    kind: FailureKind
    part: Part = "value"


LOOPS = ("for ", "while ")


class SourceText:
    """Lines of Python. `at` sets the mark of the lines that follow; `block` indents them.

    `unfinished` says whether something is left to do for the record when the lines being written are done: another turn
    of a loop, another child. Where they may fail for a record alone, they have to be guarded then.
    """

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._marks: list[Mark | None] = []
        self._indent = 0
        self._mark: Mark | None = None
        self.unfinished = False

    def line(self, text: str = "") -> None:
        self._lines.append("    " * self._indent + text if text else "")
        self._marks.append(self._mark)

    @contextmanager
    def block(self, header: str) -> Generator[None]:
        self.line(header)
        self._indent += 1
        before = self.unfinished
        self.unfinished = before or header.startswith(LOOPS)
        try:
            yield
        finally:
            self._indent -= 1
            self.unfinished = before

    @contextmanager
    def function(self, header: str) -> Generator[None]:
        with self.block(header):
            yield
        self.line()

    @contextmanager
    def more_follows(self, more: bool = True) -> Generator[None]:
        """Within, the record is unfinished (if `more`)."""
        before = self.unfinished
        self.unfinished = before or more
        try:
            yield
        finally:
            self.unfinished = before

    @contextmanager
    def nothing_follows(self) -> Generator[None]:
        """Within, nothing is left to do for the record."""
        before, self.unfinished = self.unfinished, False
        try:
            yield
        finally:
            self.unfinished = before

    @contextmanager
    def at(self, node: Node, kind: FailureKind = "processing", part: Part = "value") -> Generator[None]:
        before, self._mark = self._mark, Mark(node, kind, part)
        try:
            yield
        finally:
            self._mark = before

    @contextmanager
    def decoding_key(self) -> Generator[None]:
        """The lines within decode the key for the operator that they belong to."""
        node = self._mark.node if self._mark is not None else None
        if node is None:
            yield
            return
        with self.at(node, "deserialization", "key"):
            yield

    def append(self, other: SourceText) -> None:
        """Takes over another text's lines at the present indentation."""
        pad = "    " * self._indent
        self._lines.extend(pad + line if line else line for line in other._lines)
        self._marks.extend(other._marks)

    def replace(self, placeholder: str, text: str) -> None:
        """Fills in what was not known when the lines were written."""
        self._lines = [line.replace(placeholder, text) for line in self._lines]

    def edited(self, edits: Mapping[int, str | None]) -> SourceText:
        """A text with other lines at some places, counted from 1; None: without the line. Lines keep their marks."""
        other = SourceText()
        for number, (line, mark) in enumerate(zip(self._lines, self._marks, strict=True), 1):
            edited = edits.get(number, line)
            if edited is not None:
                other._lines.append(edited)
                other._marks.append(mark)
        return other

    @property
    def lines(self) -> Sequence[str]:
        return self._lines

    def mark_of(self, lineno: int) -> Mark | None:
        """The mark of a line, counted from 1 as tracebacks do."""
        return self._marks[lineno - 1] if 0 < lineno <= len(self._marks) else None

    @property
    def text(self) -> str:
        return "\n".join(self._lines) + "\n"
