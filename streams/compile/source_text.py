"""The generated module while it is being written: indented lines, each remembering the operator it belongs to."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from streams.graph.node import Node

FailureKind = Literal["deserialization", "processing", "serialization"]


@dataclass(frozen=True, slots=True)
class Mark:
    """Whose line it is, and what has gone wrong when the line raises."""

    node: Node
    kind: FailureKind


class SourceText:
    """Lines of Python. `at` sets the mark of the lines that follow; `block` indents them."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._marks: list[Mark | None] = []
        self._indent = 0
        self._mark: Mark | None = None

    def line(self, text: str = "") -> None:
        self._lines.append("    " * self._indent + text if text else "")
        self._marks.append(self._mark)

    @contextmanager
    def block(self, header: str) -> Generator[None]:
        self.line(header)
        self._indent += 1
        try:
            yield
        finally:
            self._indent -= 1

    @contextmanager
    def at(self, node: Node, kind: FailureKind = "processing") -> Generator[None]:
        before, self._mark = self._mark, Mark(node, kind)
        try:
            yield
        finally:
            self._mark = before

    def append(self, other: SourceText) -> None:
        """Takes over another text's lines at the present indentation."""
        pad = "    " * self._indent
        self._lines.extend(pad + line if line else line for line in other._lines)
        self._marks.extend(other._marks)

    def mark_of(self, lineno: int) -> Mark | None:
        """The mark of a line, counted from 1 as tracebacks do."""
        return self._marks[lineno - 1] if 0 < lineno <= len(self._marks) else None

    @property
    def text(self) -> str:
        return "\n".join(self._lines) + "\n"
