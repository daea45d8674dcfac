"""Expressions on a record's fields, written with `F` and compiled inline into the generated code.

    F.delay > 15                 (value.delay > 15)
    (F.state == "TX") & ~F.late  ((value.state == 'TX') and (not value.late))
    F.user.id.default(0)         (0 if (_f := (None if (_f := value.user) is None else _f.id)) is None else _f)

**Null rules.** An expression does what the same Python would do: reading a field of a null value, adding to None or
ordering None raises, and the record fails with a `ProcessingError` that names the expression. Three operations are made
for absence, and treat as null a field that is None, a dict's key that is missing, and any field of a null:
`.is_null()`, `.is_not_null()` and `.default(x)`. `F.x == None` compares, and raises where `F.x` itself does.

**Names.** Beneath another field the names of this class's methods are taken: `F.order.source` is the method `source`,
so that a field of that name is written `F.order["source"]`. At the top only `key, value, timestamp, topic, partition,
offset, headers` are taken: `F["key"]` or `F.value.key` is the value's own field.

**Several.** A tuple or dict with expressions in it is one too: `map((F.user, F.cents))`, `map_values({"to": F.user})`.

`&`, `|` and `~` are Python's `and`, `or` and `not`: they look at truth, stop early, and need parentheses around
comparisons.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NoReturn

from streams.expressions.names import Constants, RecordNames
from streams.serde import Unknown

if TYPE_CHECKING:
    from streams.expressions.field import Field, Index


class Expression(ABC):
    """Something to be computed for each record. Immutable; hashed by identity, since `==` makes an expression."""

    __slots__ = ()

    # -- what the compiler asks ---------------------------------------------------------------------------------------
    @abstractmethod
    def source(self, names: RecordNames, constants: Constants) -> str:
        """Python source of the value, in parentheses where it needs them.

        May assign the local `_f`, whose value nobody else may rely on.
        """

    def lenient_source(self, names: RecordNames, constants: Constants) -> str:
        """Source that gives None where a field is missing; as `source` where no field is read."""
        return self.source(names, constants)

    @property
    @abstractmethod
    def parts(self) -> tuple[Expression, ...]:
        """The expressions it is made of."""

    def fields(self) -> frozenset[str] | None:
        """The top-level fields of the value that it reads; None if it reads the value as a whole."""
        read: frozenset[str] = frozenset()
        for part in self.parts:
            fields = part.fields()
            if fields is None:
                return None
            read |= fields
        return read

    @abstractmethod
    def result_type(self, value_type: Any, key_type: Any = Unknown) -> Any:
        """The type it gives for records of these types; `Unknown` where that cannot be told."""

    def problems(self, value_type: Any, key_type: Any = Unknown) -> tuple[str, ...]:
        """What cannot work on records of these types (a field that does not exist), as sentences with their cure."""
        return tuple(problem for part in self.parts for problem in part.problems(value_type, key_type))

    def compile(self, value_type: Any = Unknown, key_type: Any = Unknown) -> Callable[..., Any]:
        """A function of (key, value, *, timestamp, headers, topic, partition, offset) that gives the value."""
        from streams.expressions.compiled import compiled

        return compiled(self, value_type, key_type)

    # -- paths --------------------------------------------------------------------------------------------------------
    def __getattr__(self, name: str) -> Field:
        """The field `name` of what this expression gives; `["name"]` where a method has the name."""
        from streams.expressions.field import Field

        if name.startswith("__") and name.endswith("__"):  # what copy, pickle and inspect look for
            raise AttributeError(name)
        return Field(self, name)

    def __getitem__(self, index: Any) -> Field | Index:
        """`["name"]` is the field `name`, whatever the value is; any other index is Python's own `[index]`."""
        from streams.expressions.field import Field, Index

        return Field(self, index) if isinstance(index, str) else Index(self, index)

    def __iter__(self) -> NoReturn:
        raise TypeError(f"{self!r} cannot be iterated over: it stands for one value of each record")

    def __contains__(self, item: object) -> NoReturn:
        raise TypeError(f"`in` cannot be written on {self!r}; use .contains(x), .is_in([…]), or a function")

    def __bool__(self) -> NoReturn:
        raise TypeError(
            f"{self!r} has no truth value before there is a record: write & for and, | for or, ~ for not, with "
            "parentheses around comparisons, and (a < b) & (b < c) for a < b < c"
        )

    # -- comparisons --------------------------------------------------------------------------------------------------
    def __eq__(self, other: object) -> Expression:  # pyright: ignore[reportIncompatibleMethodOverride]
        return _comparison("==", self, other)

    def __ne__(self, other: object) -> Expression:  # pyright: ignore[reportIncompatibleMethodOverride]
        return _comparison("!=", self, other)

    def __lt__(self, other: Any) -> Expression:
        return _comparison("<", self, other)

    def __le__(self, other: Any) -> Expression:
        return _comparison("<=", self, other)

    def __gt__(self, other: Any) -> Expression:
        return _comparison(">", self, other)

    def __ge__(self, other: Any) -> Expression:
        return _comparison(">=", self, other)

    __hash__ = object.__hash__

    # -- arithmetic ---------------------------------------------------------------------------------------------------
    def __add__(self, other: Any) -> Expression:
        return _arithmetic("+", self, other)

    def __radd__(self, other: Any) -> Expression:
        return _arithmetic("+", other, self)

    def __sub__(self, other: Any) -> Expression:
        return _arithmetic("-", self, other)

    def __rsub__(self, other: Any) -> Expression:
        return _arithmetic("-", other, self)

    def __mul__(self, other: Any) -> Expression:
        return _arithmetic("*", self, other)

    def __rmul__(self, other: Any) -> Expression:
        return _arithmetic("*", other, self)

    def __truediv__(self, other: Any) -> Expression:
        return _arithmetic("/", self, other)

    def __rtruediv__(self, other: Any) -> Expression:
        return _arithmetic("/", other, self)

    def __floordiv__(self, other: Any) -> Expression:
        return _arithmetic("//", self, other)

    def __rfloordiv__(self, other: Any) -> Expression:
        return _arithmetic("//", other, self)

    def __mod__(self, other: Any) -> Expression:
        return _arithmetic("%", self, other)

    def __rmod__(self, other: Any) -> Expression:
        return _arithmetic("%", other, self)

    def __pow__(self, other: Any) -> Expression:
        return _arithmetic("**", self, other)

    def __rpow__(self, other: Any) -> Expression:
        return _arithmetic("**", other, self)

    def __neg__(self) -> Expression:
        from streams.expressions.operation import Negation

        return Negation(self)

    # -- logic --------------------------------------------------------------------------------------------------------
    def __and__(self, other: Any) -> Expression:
        return _logical("and", self, other)

    def __rand__(self, other: Any) -> Expression:
        return _logical("and", other, self)

    def __or__(self, other: Any) -> Expression:
        return _logical("or", self, other)

    def __ror__(self, other: Any) -> Expression:
        return _logical("or", other, self)

    def __invert__(self) -> Expression:
        from streams.expressions.operation import Not

        return Not(self)

    # -- absence ------------------------------------------------------------------------------------------------------
    def is_null(self) -> Expression:
        """True where the value is None or missing."""
        from streams.expressions.absence import IsNull

        return IsNull(self, True)

    def is_not_null(self) -> Expression:
        """True where there is a value other than None."""
        from streams.expressions.absence import IsNull

        return IsNull(self, False)

    def default(self, value: Any) -> Expression:
        """The value, or `value` (a constant or an expression) where it is None or missing."""
        from streams.expressions.absence import Default
        from streams.expressions.constant import expression_of

        return Default(self, expression_of(value))

    # -- functions ----------------------------------------------------------------------------------------------------
    def is_in(self, values: Iterable[Any]) -> Expression:
        """Whether the value equals one of `values`, which are looked at once, here."""
        from streams.expressions.operation import IsIn

        if isinstance(values, str | bytes | Expression):
            raise TypeError(
                f"is_in takes a list or set of constants, got {values!r}; write .is_in([…]), or x.contains(…) for a "
                "list that is in the record"
            )
        return IsIn(self, tuple(values))

    def contains(self, item: Any) -> Expression:
        """Whether a list has the item, a dict the key, a string the part: `item in value`."""
        from streams.expressions.constant import expression_of
        from streams.expressions.operation import Comparison

        return Comparison("in", expression_of(item), self)

    def between(self, low: Any, high: Any) -> Expression:
        """Whether low <= value <= high, both inclusive as in SQL."""
        return (self >= low) & (self <= high)

    def then(self, value: Any, otherwise: Any) -> Expression:
        """`value` where this holds, else `otherwise`; the other of the two is not looked at."""
        from streams.expressions.constant import expression_of
        from streams.expressions.operation import Choice

        return Choice(self, expression_of(value), expression_of(otherwise))

    def len(self) -> Expression:
        """How many characters a string has, or items a list or dict."""
        return _call(len, self, (), int)

    def strip(self, characters: str | None = None) -> Expression:
        """A string without white space (or these characters) at both ends."""
        return _method("strip", self, () if characters is None else (characters,), str)

    def replace(self, old: str | Expression, new: str | Expression) -> Expression:
        """A string with `new` wherever `old` was."""
        return _method("replace", self, (old, new), str)

    def split(self, separator: str | None = None) -> Expression:
        """The parts of a string between separators, or between white space."""
        return _method("split", self, () if separator is None else (separator,), list[str])

    def matches(self, pattern: str) -> Expression:
        """Whether a regular expression is found anywhere in a string; `^` and `$` tie it to the ends.

        Raises ValueError: the pattern is none.
        """
        from streams.expressions.operation import Matches

        return Matches(self, pattern)

    def startswith(self, prefix: str | tuple[str, ...] | Expression) -> Expression:
        """Whether a string begins with `prefix` (or with one of several)."""
        return _method("startswith", self, (prefix,), bool)

    def endswith(self, suffix: str | tuple[str, ...] | Expression) -> Expression:
        """Whether a string ends with `suffix` (or with one of several)."""
        return _method("endswith", self, (suffix,), bool)

    def lower(self) -> Expression:
        """A string in lower case."""
        return _method("lower", self, (), str)

    def upper(self) -> Expression:
        """A string in upper case."""
        return _method("upper", self, (), str)

    def decode(self, encoding: str = "utf-8") -> Expression:
        """The string that bytes, such as a header's, encode."""
        return _method("decode", self, (encoding,), str)

    def cast(self, to: type) -> Expression:
        """The value passed through a type: `int`, `float`, `str`, `bool` or any class that takes one argument."""
        return _call(to, self, (), to)

    def abs(self) -> Expression:
        """The absolute value of a number."""
        return _call(abs, self, (), None)

    def round(self, digits: int | None = None) -> Expression:
        """A number rounded as Python's `round` does (half to even): to an int, or to `digits` after the point."""
        return _call(round, self, () if digits is None else (digits,), int if digits is None else None)


def _comparison(operator: str, left: Any, right: Any) -> Expression:
    from streams.expressions.constant import expression_of
    from streams.expressions.operation import Comparison

    return Comparison(operator, expression_of(left), expression_of(right))


def _arithmetic(operator: str, left: Any, right: Any) -> Expression:
    from streams.expressions.constant import expression_of
    from streams.expressions.operation import Arithmetic

    return Arithmetic(operator, expression_of(left), expression_of(right))


def _logical(operator: str, left: Any, right: Any) -> Expression:
    from streams.expressions.constant import expression_of
    from streams.expressions.operation import Logical

    for side in (left, right):
        if not isinstance(side, Expression | bool):
            symbol = {"and": "&", "or": "|"}[operator]
            raise TypeError(
                f"{symbol} is logical {operator} in an expression and cannot take {side!r}; put comparisons in "
                f"parentheses, (F.a > 1) {symbol} (F.b < 2), and use a function for bits"
            )
    return Logical(operator, expression_of(left), expression_of(right))


def _method(name: str, target: Expression, arguments: tuple[Any, ...], result: Any) -> Expression:
    from streams.expressions.constant import expression_of
    from streams.expressions.operation import Method

    return Method(name, target, tuple(map(expression_of, arguments)), result)


def _call(function: Any, target: Expression, arguments: tuple[Any, ...], result: Any) -> Expression:
    from streams.expressions.constant import expression_of
    from streams.expressions.operation import Call

    return Call(function, target, tuple(map(expression_of, arguments)), result)
