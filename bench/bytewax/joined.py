"""A stream with the newest row of a table. Bytewax's own `join` also answers when the table changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import bytewax.operators as op
from bytewax.operators import KeyedStream

Value = dict[str, Any]


@dataclass
class Row:
    """The row of a key, and what waits for it: topics are not read in the order of time."""

    row: Value | None = None
    waiting: list[Value] = field(default_factory=list)


def join_table(
    stream: KeyedStream[Value], table: KeyedStream[Value], joiner: Callable[[Value, Value], Value]
) -> KeyedStream[Value]:
    def step(known: Row | None, side: tuple[str, Value]) -> tuple[Row, list[Value]]:
        known = known or Row()
        kind, value = side
        if kind == "table":
            known.row, ready = value, known.waiting
            known.waiting = []
            return known, [joiner(each, value) for each in ready]
        if known.row is None:
            known.waiting.append(value)
            return known, []
        return known, [joiner(value, known.row)]

    sides = op.merge(
        "both",
        op.map_value("of the table", table, lambda row: ("table", row)),
        op.map_value("of the stream", stream, lambda value: ("stream", value)),
    )
    return op.flat_map_value("each", op.stateful_map("join", sides, step), lambda results: results)
