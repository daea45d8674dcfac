"""What looks at absence: null tests and defaults. A missing field counts as null here, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from streams.expressions.expression import Expression
from streams.expressions.names import Constants, RecordNames
from streams.expressions.operation import grouped
from streams.serde import Unknown, plain_type


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class IsNull(Expression):
    """Whether the operand is null, or (`_null` False) is not."""

    _operand: Expression
    _null: bool

    def __repr__(self) -> str:
        return f"{grouped(self._operand)}.{'is_null' if self._null else 'is_not_null'}()"

    @property
    def parts(self) -> tuple[Expression, ...]:
        return (self._operand,)

    def source(self, names: RecordNames, constants: Constants) -> str:
        return f"({self._operand.lenient_source(names, constants)} is {'' if self._null else 'not '}None)"

    def result_type(self, value_type: Any, key_type: Any = Unknown) -> Any:
        return bool


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Default(Expression):
    """The operand, or `_otherwise` where it is null."""

    _operand: Expression
    _otherwise: Expression

    def __repr__(self) -> str:
        return f"{grouped(self._operand)}.default({self._otherwise!r})"

    @property
    def parts(self) -> tuple[Expression, ...]:
        return (self._operand, self._otherwise)

    def source(self, names: RecordNames, constants: Constants) -> str:
        otherwise = self._otherwise.source(names, constants)
        return self._with(otherwise, names, constants)

    def lenient_source(self, names: RecordNames, constants: Constants) -> str:
        otherwise = self._otherwise.lenient_source(names, constants)
        return self._with(otherwise, names, constants)

    def _with(self, otherwise: str, names: RecordNames, constants: Constants) -> str:
        operand = self._operand.lenient_source(names, constants)
        if operand.isidentifier():
            return f"({otherwise} if {operand} is None else {operand})"
        return f"({otherwise} if (_f := {operand}) is None else _f)"

    def result_type(self, value_type: Any, key_type: Any = Unknown) -> Any:
        operand = plain_type(self._operand.result_type(value_type, key_type))
        otherwise = self._otherwise.result_type(value_type, key_type)
        if {operand, otherwise} == {int, float}:
            return float
        if operand is Unknown or otherwise is Unknown or operand == otherwise:
            return operand if operand == otherwise else Unknown
        return operand | otherwise
