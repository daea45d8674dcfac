"""The other stream or table that an operator is given: whether it is one, and how to make one of what it is."""

from __future__ import annotations

from typing import Any

from streams.dsl.builder import TopologyBuilder
from streams.dsl.steps import STEPS, way, written
from streams.errors import SourceLine

ARTICLES = {
    "KStream": "a stream",
    "KTable": "a table",
    "GlobalKTable": "a global table",
    "GroupedStream": "a grouped stream",
}
DECLARED = {
    "KStream": "app.stream({!r}, …)",
    "KTable": "app.table({!r}, …)",
    "GroupedStream": "app.stream({!r}, …).group_by_key()",
}


def is_operand(builder: TopologyBuilder, operator: str, given: Any, origin: SourceLine | None, *kinds: str) -> bool:
    """Whether `given` is a handle of one of those `kinds`; if not, that is noted as a problem at `origin`."""
    kind = type(given).__name__
    if kind in kinds and kind in STEPS:
        return True
    wanted = " or ".join(ARTICLES[each] for each in kinds)
    builder.problem(f"{operator} needs {wanted}, got {_described(given)}{_cure(given, kind, kinds)}", origin)
    return False


def _described(given: Any) -> str:
    if isinstance(given, str):
        return f"the name {given!r}"
    return f"a {type(given).__name__}" if type(given).__name__ in STEPS else repr(given)


def _cure(given: Any, kind: str, kinds: tuple[str, ...]) -> str:
    if isinstance(given, str):
        return f": declare it, as in {' or '.join(DECLARED[each].format(given) for each in kinds if each in DECLARED)}"
    calls = way(kind, lambda handle: handle in kinds) if kind in STEPS else None
    return f": make it one with {written(calls)}" if calls else ""
