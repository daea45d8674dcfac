"""Takes out of a generated module what came to nothing, so that it reads as if written for its topology alone.

Templates cannot know while they are written whether a clock will be asked for, or a store will have to be told the
time; what they leave then is an empty function, a call of it, a name that nobody uses, a `pass` among other lines:

    def advance_stores():                 (gone)
        pass
    def run_orders(…):                    def run_orders(…):
        nonlocal time, due                    nonlocal time
        pass                                  …
        …
        finally:
            advance_stores()

Lines are taken out as wholes and keep their marks; what shares its line with something else stays. It is a matter of
reading, not of speed: no line that does something changes.
"""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import cast

from streams.compile.source_text import SourceText

Edits = Mapping[int, str | None]
BODIES = ("body", "orelse", "finalbody")
"""Where statements have blocks."""


def tidied(text: SourceText) -> SourceText:
    """The text of a module whose one function is `build`, without what came to nothing."""
    return text.edited(_edits(text.text))


@lru_cache(maxsize=256)
def _edits(text: str) -> Edits:
    """Kept, as tests compile the same few topologies again and again: to look for them takes longer than to write the
    text."""
    return _Tidying(text).edits()


class _Tidying:
    """A text that is parsed once. What goes is taken out of its tree and of what is known of its names, so that another
    look finds what came to nothing by that; lines keep the numbers that they had at first.
    """

    def __init__(self, text: str) -> None:
        (build,) = ast.parse(text).body
        assert isinstance(build, ast.FunctionDef)
        self._lines = text.split("\n")
        self._build = build
        self._bodies: list[list[ast.stmt]] = [build.body]
        self._tries: list[ast.Try] = []
        self._reads: Counter[str] = Counter()
        self._binds: Counter[str] = Counter()
        self._assigned: dict[ast.stmt, set[str]] = {each: self._note(each) for each in build.body}
        self._edits: dict[int, str | None] = {}
        self._goes_on = True

    def _note(self, statement: ast.stmt) -> set[str]:
        """Notes what is in a statement of `build`; returns the names that it assigns."""
        assigned: set[str] = set()
        for each in _nodes(statement):
            if isinstance(each, ast.Name):
                if isinstance(each.ctx, ast.Load):
                    self._reads[each.id] += 1
                else:
                    self._binds[each.id] += 1
                    assigned.add(each.id)
            elif isinstance(each, ast.stmt):
                self._bodies += [body for name in BODIES if (body := getattr(each, name, None))]
                if isinstance(each, ast.Try):
                    self._tries.append(each)
            elif isinstance(each, ast.ExceptHandler):
                self._bodies.append(each.body)
        return assigned

    def edits(self) -> Edits:
        while self._goes_on:
            self._goes_on = False
            self._take_out_passes()
            self._name_what_is_assigned()
            self._take_out_empty_functions()
            self._take_out_unused()
        self._take_out_blank_lines()
        return self._edits

    def _take_out_passes(self) -> None:
        """`pass` beside other statements, and `finally` with nothing else in it."""
        for body in self._bodies:
            passes = [each for each in body if isinstance(each, ast.Pass)]
            for each in passes if len(passes) < len(body) else passes[1:]:
                self._take_out(each, body)
        for each in self._tries:
            if each.handlers and each.finalbody and all(isinstance(line, ast.Pass) for line in each.finalbody):
                header = each.finalbody[0].lineno - 1
                while self._is_out(header):
                    header -= 1
                assert self._lines[header - 1].strip() == "finally:"
                self._edits[header] = None
                for line in list(each.finalbody):
                    self._take_out(line, each.finalbody)

    def _name_what_is_assigned(self) -> None:
        """`nonlocal` with the variables that the function assigns, no others."""
        for function in self._build.body:
            if not isinstance(function, ast.FunctionDef) or not isinstance(function.body[0], ast.Nonlocal):
                continue
            line = function.body[0]
            names = [name for name in line.names if name in self._assigned[function] and self._binds[name]]
            if not names:
                self._empty(line, function.body)
            elif names != line.names:
                line.names = names
                self._edit(line.lineno, " " * line.col_offset + f"nonlocal {', '.join(names)}")

    def _take_out_empty_functions(self) -> None:
        """Functions that do nothing and are only called, or handed over under their own names."""
        empty = {
            each.name: each
            for each in self._build.body
            if isinstance(each, ast.FunctionDef) and all(isinstance(line, ast.Pass) for line in each.body)
        }
        if not empty:
            return
        calls = [
            (each, body, name)
            for body in self._bodies
            for each in body
            if (name := _called_by(each)) in empty and _begins_line(each, self._lines)
        ]
        last = self._build.body[-1]
        assert isinstance(last, ast.Return)
        assert isinstance(last.value, ast.Call)
        handed_over = [each for each in last.value.keywords if each.arg in empty and each.arg == _name(each.value)]
        known = Counter([*(name for _, _, name in calls), *(each.arg for each in handed_over)])
        gone = [name for name in empty if known[name] == self._reads[name]]
        for name in gone:
            self._take_out(empty[name], self._build.body)
        for each, body, name in calls:
            if name in gone:
                self._empty(each, body)
        for each in handed_over:
            if each.arg in gone:
                last.value.keywords.remove(each)
                self._forget(each)
                line = self._edits.get(last.lineno) or self._lines[last.lineno - 1]
                self._edit(last.lineno, line.replace(f", {each.arg}={each.arg}", ""))

    def _take_out_unused(self) -> None:
        """Names bound at the top that nobody reads, wherever they are bound; binding them has no effect."""
        unused = {name for each in self._build.body if (name := _bound_by(each)) and not self._reads[name]}
        plain: dict[str, list[tuple[ast.stmt, list[ast.stmt]]]] = defaultdict(list)
        for body in self._bodies if unused else ():
            for each in body:
                name = _bound_by(each)
                if name in unused and _begins_line(each, self._lines):
                    plain[name].append((each, body))
        for name, places in plain.items():
            if len(places) == self._binds[name]:
                for each, body in places:
                    if body is self._build.body:
                        self._take_out(each, body)
                    else:
                        self._empty(each, body)

    def _take_out_blank_lines(self) -> None:
        """All but the first of several in a row, and those below a header."""
        blank = False
        for number, line in enumerate(self._lines[:-1], 1):
            if self._is_out(number):
                continue
            if not line and blank:
                self._edits[number] = None
            blank = not line or line.endswith(":")

    def _take_out(self, statement: ast.stmt, body: list[ast.stmt]) -> None:
        body.remove(statement)
        self._forget(statement)
        for number in _lines(statement):
            self._edit(number, None)

    def _empty(self, statement: ast.stmt, body: list[ast.stmt]) -> None:
        """Leaves a `pass` in place of a statement."""
        line = ast.copy_location(ast.Pass(), statement)
        body[body.index(statement)] = line
        self._forget(statement)
        self._edit(line.lineno, " " * line.col_offset + "pass")

    def _forget(self, node: ast.AST) -> None:
        for each in _nodes(node):
            if isinstance(each, ast.Name):
                names = self._reads if isinstance(each.ctx, ast.Load) else self._binds
                names[each.id] -= 1

    def _is_out(self, number: int) -> bool:
        return number in self._edits and self._edits[number] is None

    def _edit(self, number: int, line: str | None) -> None:
        self._edits[number] = line
        self._goes_on = True


def _nodes(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all below it, but for what says how a name is used: `ast.walk` takes three times as long, and an
    application waits for it when it starts.
    """
    waiting = [node]
    while waiting:
        each = waiting.pop()
        yield each
        if isinstance(each, ast.Name | ast.Constant):
            continue
        for field in each._fields:
            value = getattr(each, field, None)
            if isinstance(value, list):
                waiting += [part for part in cast("list[object]", value) if isinstance(part, ast.AST)]
            elif isinstance(value, ast.AST):
                waiting.append(value)


def _lines(statement: ast.stmt) -> range:
    assert statement.end_lineno is not None
    return range(statement.lineno, statement.end_lineno + 1)


def _begins_line(statement: ast.stmt, lines: Sequence[str]) -> bool:
    return not lines[statement.lineno - 1][: statement.col_offset].strip()


def _called_by(statement: ast.stmt) -> str | None:
    """The name of the function that a statement calls, which does nothing else."""
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        return _name(statement.value.func)
    return None


def _name(node: ast.expr) -> str | None:
    return node.id if isinstance(node, ast.Name) else None


def _bound_by(statement: ast.stmt) -> str | None:
    """The name that a statement binds, which does nothing else."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        return _name(statement.targets[0])
    return None
