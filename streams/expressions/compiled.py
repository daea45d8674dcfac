"""An expression as a function, made of the same source that generated code has inline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streams.expressions.expression import Expression
from streams.expressions.names import RecordNames


class Bindings:
    """Constants of one compiled function."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {}

    def bind(self, value: Any, hint: str = "constant", /) -> str:
        name = f"_c{len(self.names)}"
        self.names[name] = value
        return name


def compiled(expression: Expression, value_type: Any, key_type: Any) -> Callable[..., Any]:
    """A function of (key, value, *, timestamp, headers, topic, partition, offset)."""
    names = RecordNames(
        key="key",
        value="value",
        timestamp="timestamp",
        headers="headers",
        topic="topic",
        partition="partition",
        offset="offset",
        value_type=value_type,
        key_type=key_type,
    )
    bindings = Bindings()
    source = expression.source(names, bindings)
    parameters = "key, value, *, timestamp=-1, headers=None, topic='', partition=-1, offset=-1"
    return eval(compile(f"lambda {parameters}: {source}", f"<{expression!r}>", "eval"), bindings.names)
