"""A constant in an expression: inlined where source text can hold it, else bound by name."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, cast

from streams.expressions.expression import Expression
from streams.expressions.names import Constants, RecordNames
from streams.serde import Unknown

INLINE = (int, str, bool, bytes, type(None))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Constant(Expression):
    """The same value for every record."""

    _value: Any

    def __repr__(self) -> str:
        return repr(self._value)

    @property
    def parts(self) -> tuple[Expression, ...]:
        return ()

    def source(self, names: RecordNames, constants: Constants) -> str:
        return constant_source(self._value, constants)

    def result_type(self, value_type: Any, key_type: Any = Unknown) -> Any:
        return Unknown if self._value is None else self._value.__class__


def constant_source(value: Any, constants: Constants) -> str:
    """Source text of a constant; subclasses of the inlined types (an enum's members) keep their identity."""
    kind = value.__class__
    if kind in INLINE or (kind is float and math.isfinite(value)):
        text = repr(value)
        return f"({text})" if text.startswith("-") else text
    if kind is tuple:
        items = [constant_source(item, constants) for item in cast(tuple[Any, ...], value)]
        return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
    return constants.bind(value, getattr(value, "__name__", kind.__name__))


def expression_of(value: Any) -> Expression:
    """An operand: an expression as it is, anything else as a constant."""
    from streams.expressions.record import RecordFields

    if isinstance(value, RecordFields):
        raise TypeError("F alone is no value; write F.value for the whole value, or F.name for a field")
    return value if isinstance(value, Expression) else Constant(value)
