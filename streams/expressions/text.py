"""Expressions on `F` that somebody types while the application runs: `F.delay > 15 and F.key.startswith("S")`.

The text is parsed, never evaluated: only what is listed here can be written. `and`, `or`, `not`, `in` and chains such
as `1 < F.x < 5` mean what they mean in Python; `&`, `|` and `~` are welcome too. Left out is what could take long or
much memory for a short text: `*`, `**`, regular expressions, text that is repeated or formatted, rounding far from the
point.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any, cast

from streams.expressions.constant import expression_of
from streams.expressions.expression import Expression
from streams.expressions.operation import Call
from streams.expressions.record import F

LONGEST = 500
MOST_DIGITS = 20
"""On either side of the point, of what is rounded: Python makes 10 to their power of it."""
METHODS = frozenset(
    {
        *("is_null", "is_not_null", "default", "is_in", "contains", "between", "len", "strip"),
        *("startswith", "endswith", "lower", "upper", "decode", "abs", "round"),
    }
)
COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: lambda left, right: left + right,
    ast.Sub: lambda left, right: left - right,
    ast.Div: lambda left, right: left / right,
    ast.FloorDiv: lambda left, right: left // right,
    ast.Mod: lambda left, right: (
        Call(_remainder, left, (expression_of(right),), None)
        if isinstance(left, Expression)
        else _remainder(left, right)
    ),
}
EXAMPLE = 'write one such as F.delay > 15 and F.key == "SEA"'


class ExpressionTextError(ValueError):
    """The text is no expression. The message quotes the part that is at fault and ends with the cure."""


def parse_expression(text: str) -> Expression:
    """Raises ExpressionTextError."""
    if len(text) > LONGEST:
        raise ExpressionTextError(f"an expression may have {LONGEST} characters, this one has {len(text)}")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        what = error.msg if isinstance(error, SyntaxError) else str(error)
        raise ExpressionTextError(f"{text!r} is no expression ({what}): {EXAMPLE}") from None
    try:
        found = _Reader(text.strip()).read(tree.body)
    except (TypeError, ValueError, ArithmeticError, RecursionError) as error:
        if isinstance(error, ExpressionTextError):
            raise
        raise ExpressionTextError(f"{text!r}: {error}") from error
    return expression_of(found)


class _Reader:
    """Makes of a syntax tree what Python would: an expression, or a constant."""

    def __init__(self, text: str) -> None:
        self._text = text

    def read(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=str() | int() | float() | None):
                return node.value
            case ast.Attribute(value=owner, attr=name):
                return getattr(self._record(owner), self._public(node, name))
            case ast.Subscript(value=owner, slice=ast.Constant(value=str() | int() as index)):
                return self._record(owner)[self._public(node, index) if isinstance(index, str) else index]
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return [self.read(item) for item in items]
            case ast.Compare():
                return self._comparison(node)
            case ast.BoolOp(op=op, values=values):
                found = self._truth(values[0])
                for value in values[1:]:
                    found = found & self._truth(value) if isinstance(op, ast.And) else found | self._truth(value)
                return found
            case ast.BinOp(op=ast.BitAnd(), left=left, right=right):
                return self._truth(left) & self._truth(right)
            case ast.BinOp(op=ast.BitOr(), left=left, right=right):
                return self._truth(left) | self._truth(right)
            case ast.BinOp(op=op, left=left, right=right) if type(op) in ARITHMETIC:
                return self._arithmetic(node, left, op, right)
            case ast.UnaryOp(op=ast.Not() | ast.Invert(), operand=operand):
                return ~self._truth(operand)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self.read(operand)
            case ast.Call(func=ast.Attribute(value=owner, attr=name), args=arguments, keywords=[]) if name in METHODS:
                given = [self.read(argument) for argument in arguments]
                if name == "round" and not all(_few_digits(each) for each in given):
                    raise self._wrong(node, f"round() and round(digits) with at most {MOST_DIGITS} digits")
                return getattr(self._record(owner), name)(*given)
            case _:
                raise self._wrong(node, f"fields, comparisons, and, or, not, in, + - / // %, and {self._methods()}")

    def _comparison(self, node: ast.Compare) -> Any:
        found: Any = None
        left: Any = self.read(node.left)
        for op, right_node in zip(node.ops, node.comparators):
            right: Any = self.read(right_node)
            one: Any
            if isinstance(op, ast.In | ast.NotIn):
                one = _within(left, right)
                one = ~one if isinstance(op, ast.NotIn) else one
            elif isinstance(op, ast.Is | ast.IsNot) and right is None:
                one = expression_of(left).is_null() if isinstance(op, ast.Is) else expression_of(left).is_not_null()
            elif type(op) in COMPARISONS:
                one = COMPARISONS[type(op)](expression_of(left), expression_of(right))
            else:
                raise self._wrong(node, "== != < <= > >= in, not in, is None and is not None")
            found = one if found is None else found & one
            left = right
        return found

    def _arithmetic(self, node: ast.expr, left: ast.expr, op: ast.operator, right: ast.expr) -> Any:
        """The right side of `%` is a number: text to be formatted would be on its left."""
        first, second = self.read(left), self.read(right)
        if isinstance(op, ast.Mod) and not isinstance(second, int | float):
            raise self._wrong(node, "% with a number behind it")
        return ARITHMETIC[type(op)](first, second)

    def _record(self, node: ast.expr) -> Any:
        """What has fields: `F`, or an expression on it."""
        if isinstance(node, ast.Name) and node.id == "F":
            return F
        found = self.read(node)
        if not isinstance(found, Expression):
            raise self._wrong(node, "fields and methods of F")
        return found

    def _truth(self, node: ast.expr) -> Expression:
        return expression_of(self.read(node))

    def _public(self, node: ast.expr, name: str) -> str:
        if name.startswith("__"):
            raise self._wrong(node, "names that do not begin with two underscores")
        return name

    def _methods(self) -> str:
        return ", ".join(f".{name}()" for name in sorted(METHODS))

    def _wrong(self, node: ast.expr, allowed: str) -> ExpressionTextError:
        part = ast.get_source_segment(self._text, node) or self._text
        return ExpressionTextError(f"{part!r} cannot be written here; allowed are {allowed}")


def _within(item: Any, whole: Any) -> Expression:
    """Whether the item is among the constants of a list, or in what an expression gives."""
    if isinstance(whole, list):
        return expression_of(item).is_in(cast("list[Any]", whole))
    return expression_of(whole).contains(item)


def _few_digits(number: Any) -> bool:
    return isinstance(number, int) and abs(number) <= MOST_DIGITS


def _remainder(left: Any, right: Any) -> Any:
    """`%` of numbers. Text before it, of a record or typed, would be formatted, as long as it says."""
    if isinstance(left, str | bytes):
        raise TypeError("% is for numbers")
    return left % right
