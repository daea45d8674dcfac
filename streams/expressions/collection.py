"""Several expressions at once: a tuple of them, or a dict, as the value an operator is to make.

stream.map((F.user, F.amount))
stream.map_values({"user": F.user, "large": F.amount > 1000, "unit": "EUR"})
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from streams.expressions.constant import constant_source, expression_of
from streams.expressions.expression import Expression
from streams.expressions.names import Constants, RecordNames
from streams.serde import Unknown, plain_type


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TupleOf(Expression):
    """`(part, part, …)`."""

    _parts: tuple[Expression, ...]

    def __repr__(self) -> str:
        return f"({', '.join(map(repr, self._parts))}{',' if len(self._parts) == 1 else ''})"

    @property
    def parts(self) -> tuple[Expression, ...]:
        return self._parts

    def source(self, names: RecordNames, constants: Constants) -> str:
        return "(" + "".join(f"{part.source(names, constants)}, " for part in self._parts) + ")"

    def result_type(self, value_type: Any, key_type: Any = Unknown) -> Any:
        types = [part.result_type(value_type, key_type) for part in self._parts]
        return tuple[tuple(Any if plain_type(kind) is Unknown else kind for kind in types)]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class DictOf(Expression):
    """`{name: part, …}`."""

    _names: tuple[Any, ...]
    _parts: tuple[Expression, ...]

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{name!r}: {part!r}" for name, part in zip(self._names, self._parts)) + "}"

    @property
    def parts(self) -> tuple[Expression, ...]:
        return self._parts

    def source(self, names: RecordNames, constants: Constants) -> str:
        items = [
            f"{constant_source(name, constants)}: {part.source(names, constants)}"
            for name, part in zip(self._names, self._parts)
        ]
        return "{" + ", ".join(items) + "}"

    def result_type(self, value_type: Any, key_type: Any = Unknown) -> Any:
        return dict


def collected(target: object) -> Any:
    """A tuple or dict with expressions in it as one expression; anything else as it is."""
    if isinstance(target, tuple):
        items = [collected(item) for item in cast("tuple[Any, ...]", target)]
        if any(isinstance(item, Expression) for item in items):
            return TupleOf(tuple(map(expression_of, items)))
    elif isinstance(target, dict):
        content = {name: collected(item) for name, item in cast("dict[Any, Any]", target).items()}
        if any(isinstance(item, Expression) for item in content.values()):
            return DictOf(tuple(content), tuple(map(expression_of, content.values())))
    return cast("Any", target)
