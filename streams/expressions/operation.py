"""Operators and functions on expressions, each compiled to the Python it is named after."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from streams.expressions.constant import Constant, constant_source
from streams.expressions.expression import Expression
from streams.expressions.names import Constants, RecordNames
from streams.serde import Unknown, arithmetic_type, plain_type

BUILTINS: tuple[Any, ...] = (int, float, str, bool, abs, round, len)
"""Functions that generated code calls by their own names."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Binary(Expression):
    """`left operator right`."""

    _operator: str
    _left: Expression
    _right: Expression

    def __repr__(self) -> str:
        symbol = {"and": "&", "or": "|"}.get(self._operator, self._operator)
        return f"{grouped(self._left)} {symbol} {grouped(self._right)}"

    @property
    def parts(self) -> tuple[Expression, ...]:
        return (self._left, self._right)

    def source(self, names: RecordNames, constants: Constants) -> str:
        left, right = self._left.source(names, constants), self._right.source(names, constants)
        return f"({left} {self._operator} {right})"


class Comparison(Binary):
    """`==`, `!=`, `<`, `<=`, `>`, `>=`; and `in`, which is written the other way round."""

    __slots__ = ()

    def __repr__(self) -> str:
        if self._operator == "in":
            return f"{grouped(self._right)}.contains({self._left!r})"
        return Binary.__repr__(self)

    def result_type(self, value_type: Any, key_type: Any = Unknown) -> Any:
        return bool


class Arithmetic(Binary):
    """`+`, `-`, `*`, `/`, `//`, `%`, `**`."""

    __slots__ = ()

    def result_type(self, value_type: Any, key_type: Any = Unknown) -> Any:
        left = self._left.result_type(value_type, key_type)
        return arithmetic_type(self._operator, left, self._right.result_type(value_type, key_type))


class Logical(Binary):
    """`and`, `or`: the right side is looked at only if the left one does not settle it."""

    __slots__ = ()

    def result_type(self, value_type: Any, key_type: Any = Unknown) -> Any:
        left = self._left.result_type(value_type, key_type)
        right = self._right.result_type(value_type, key_type)
        return left if left == right else Unknown


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Not(Expression):
    """`not operand`."""

    _operand: Expression

    def __repr__(self) -> str:
        return f"~{grouped(self._operand)}"

    @property
    def parts(self) -> tuple[Expression, ...]:
        return (self._operand,)

    def source(self, names: RecordNames, constants: Constants) -> str:
        return f"(not {self._operand.source(names, constants)})"

    def result_type(self, value_type: Any, key_type: Any = Unknown) -> Any:
        return bool


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Negation(Expression):
    """`-operand`."""

    _operand: Expression

    def __repr__(self) -> str:
        return f"-{grouped(self._operand)}"

    @property
    def parts(self) -> tuple[Expression, ...]:
        return (self._operand,)

    def source(self, names: RecordNames, constants: Constants) -> str:
        return f"(-{self._operand.source(names, constants)})"

    def result_type(self, value_type: Any, key_type: Any = Unknown) -> Any:
        return arithmetic_type("*", int, self._operand.result_type(value_type, key_type))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class IsIn(Expression):
    """`operand in choices`."""

    _operand: Expression
    _choices: tuple[Any, ...]

    def __repr__(self) -> str:
        return f"{grouped(self._operand)}.is_in({list(self._choices)!r})"

    @property
    def parts(self) -> tuple[Expression, ...]:
        return (self._operand,)

    def source(self, names: RecordNames, constants: Constants) -> str:
        return f"({self._operand.source(names, constants)} in {self._container(constants)})"

    def _container(self, constants: Constants) -> str:
        try:
            choices = frozenset(self._choices)
        except TypeError:  # unhashable: compared one by one
            return constants.bind(self._choices, "choices")
        return constants.bind(choices, "choices")

    def result_type(self, value_type: Any, key_type: Any = Unknown) -> Any:
        return bool


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Choice(Expression):
    """`chosen if condition else otherwise`."""

    _condition: Expression
    _chosen: Expression
    _otherwise: Expression

    def __repr__(self) -> str:
        return f"{grouped(self._condition)}.then({self._chosen!r}, {self._otherwise!r})"

    @property
    def parts(self) -> tuple[Expression, ...]:
        return (self._condition, self._chosen, self._otherwise)

    def source(self, names: RecordNames, constants: Constants) -> str:
        condition, chosen, otherwise = (part.source(names, constants) for part in self.parts)
        return f"({chosen} if {condition} else {otherwise})"

    def result_type(self, value_type: Any, key_type: Any = Unknown) -> Any:
        chosen = self._chosen.result_type(value_type, key_type)
        return chosen if chosen == self._otherwise.result_type(value_type, key_type) else Unknown


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Matches(Expression):
    """Whether `_pattern` is found in the operand."""

    _operand: Expression
    _pattern: str

    def __post_init__(self) -> None:
        try:
            re.compile(self._pattern)
        except (re.error, TypeError) as error:
            raise ValueError(f"matches needs a regular expression, got {self._pattern!r}: {error}") from error

    def __repr__(self) -> str:
        return f"{grouped(self._operand)}.matches({self._pattern!r})"

    @property
    def parts(self) -> tuple[Expression, ...]:
        return (self._operand,)

    def source(self, names: RecordNames, constants: Constants) -> str:
        search = constants.bind(re.compile(self._pattern).search, "search")
        return f"({search}({self._operand.source(names, constants)}) is not None)"

    def result_type(self, value_type: Any, key_type: Any = Unknown) -> Any:
        return bool


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Method(Expression):
    """`operand.name(arguments)`."""

    _name: str
    _operand: Expression
    _arguments: tuple[Expression, ...]
    _result: Any

    def __repr__(self) -> str:
        return f"{grouped(self._operand)}.{self._name}({', '.join(map(repr, self._arguments))})"

    @property
    def parts(self) -> tuple[Expression, ...]:
        return (self._operand, *self._arguments)

    def source(self, names: RecordNames, constants: Constants) -> str:
        arguments = ", ".join(argument.source(names, constants) for argument in self._arguments)
        operand = self._operand.source(names, constants)
        return f"{f'({operand})' if isinstance(self._operand, Constant) else operand}.{self._name}({arguments})"

    def result_type(self, value_type: Any, key_type: Any = Unknown) -> Any:
        return self._result


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Call(Expression):
    """`function(operand, arguments)`; `_result` None: a number gives a number of its own type."""

    _function: Callable[..., Any]
    _operand: Expression
    _arguments: tuple[Expression, ...]
    _result: Any

    def __repr__(self) -> str:
        name = getattr(self._function, "__name__", repr(self._function))
        shown = ", ".join(map(repr, self._arguments))
        if self._function in (abs, round, len):
            return f"{grouped(self._operand)}.{name}({shown})"
        return f"{grouped(self._operand)}.cast({name})"

    @property
    def parts(self) -> tuple[Expression, ...]:
        return (self._operand, *self._arguments)

    def source(self, names: RecordNames, constants: Constants) -> str:
        inline = any(self._function is builtin for builtin in BUILTINS)
        name = self._function.__name__ if inline else constant_source(self._function, constants)
        operand = self._operand.source(names, constants)
        arguments = "".join(f", {argument.source(names, constants)}" for argument in self._arguments)
        return f"{name}({operand}{arguments})"

    def result_type(self, value_type: Any, key_type: Any = Unknown) -> Any:
        if self._result is not None:
            return self._result if isinstance(self._result, type) else Unknown
        operand = plain_type(self._operand.result_type(value_type, key_type))
        return arithmetic_type("+", int, operand) if operand in (bool, int, float) else Unknown


def grouped(expression: Expression) -> str:
    """The expression's repr as an operand."""
    return f"({expression!r})" if isinstance(expression, Binary | Not | Negation) else repr(expression)
