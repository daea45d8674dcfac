"""`F`: where expressions begin. It stands for the current record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, final

from streams.expressions.expression import Expression
from streams.expressions.names import Constants, RecordNames
from streams.serde import Unknown

if TYPE_CHECKING:
    from streams.expressions.field import Field, Index

Coordinate = Literal["timestamp", "topic", "partition", "offset"]

KEY_NAMES = frozenset({"key", "value", "timestamp", "topic", "partition", "offset", "headers"})
"""What `F` itself has; fields of these names are reached as `F["key"]` or `F.value.key`."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Value(Expression):
    """The whole value."""

    def __repr__(self) -> str:
        return "F.value"

    @property
    def parts(self) -> tuple[Expression, ...]:
        return ()

    def fields(self) -> frozenset[str] | None:
        return None

    def source(self, names: RecordNames, constants: Constants) -> str:
        return names.value

    def result_type(self, value_type: Any, key_type: Any = Unknown) -> Any:
        return value_type


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Key(Expression):
    """The record's key, None where it has none."""

    def __repr__(self) -> str:
        return "F.key"

    @property
    def parts(self) -> tuple[Expression, ...]:
        return ()

    def source(self, names: RecordNames, constants: Constants) -> str:
        return names.key

    def result_type(self, value_type: Any, key_type: Any = Unknown) -> Any:
        return key_type


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RecordAttribute(Expression):
    """Where and when the record was written: topic (str), partition, offset, timestamp (int ms since the epoch)."""

    _coordinate: Coordinate

    def __repr__(self) -> str:
        return f"F.{self._coordinate}"

    @property
    def parts(self) -> tuple[Expression, ...]:
        return ()

    def source(self, names: RecordNames, constants: Constants) -> str:
        return getattr(names, self._coordinate)

    def result_type(self, value_type: Any, key_type: Any = Unknown) -> Any:
        return str if self._coordinate == "topic" else int


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Headers(Expression):
    """All headers as a list of (name, bytes or None) pairs; `["name"]` is the last one of that name."""

    def __repr__(self) -> str:
        return "F.headers"

    def __getitem__(self, index: Any) -> Header:  # pyright: ignore[reportIncompatibleMethodOverride]
        if not isinstance(index, str):
            raise TypeError(f'a header is found by its name, not by {index!r}; write F.headers["name"]')
        return Header(index)

    @property
    def parts(self) -> tuple[Expression, ...]:
        return ()

    def source(self, names: RecordNames, constants: Constants) -> str:
        return f"({names.headers} or [])"

    def result_type(self, value_type: Any, key_type: Any = Unknown) -> Any:
        return list[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Header(Expression):
    """The bytes of the last header of a name, None if there is none, as Kafka's `Headers.lastHeader`."""

    _header: str

    def __repr__(self) -> str:
        return f"F.headers[{self._header!r}]"

    @property
    def parts(self) -> tuple[Expression, ...]:
        return ()

    def source(self, names: RecordNames, constants: Constants) -> str:
        # The outermost iterable of a generator is evaluated outside of it: no local becomes a slow closure cell.
        return f"next((_b for _n, _b in reversed({names.headers} or ()) if _n == {self._header!r}), None)"

    def result_type(self, value_type: Any, key_type: Any = Unknown) -> Any:
        return bytes | None


@final
class RecordFields:
    """The class of `F`. `F.name` and `F["name"]` are fields of the value; the names below are the record's own."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "F"

    @property
    def value(self) -> Value:
        """The whole value."""
        return Value()

    @property
    def key(self) -> Key:
        """The record's key."""
        return Key()

    @property
    def timestamp(self) -> RecordAttribute:
        """The record's time, int ms since the epoch."""
        return RecordAttribute("timestamp")

    @property
    def topic(self) -> RecordAttribute:
        """The topic the record was read from."""
        return RecordAttribute("topic")

    @property
    def partition(self) -> RecordAttribute:
        """The partition the record was read from."""
        return RecordAttribute("partition")

    @property
    def offset(self) -> RecordAttribute:
        """The record's offset in its partition."""
        return RecordAttribute("offset")

    @property
    def headers(self) -> Headers:
        """The record's headers; `F.headers["name"]` is one of them, as bytes."""
        return Headers()

    def __getattr__(self, name: str) -> Field:
        return Value().__getattr__(name)

    def __getitem__(self, index: Any) -> Field | Index:
        return Value()[index]

    def __bool__(self) -> bool:
        raise TypeError("F has no truth value; write an expression on it, such as F.delay > 15")


F = RecordFields()
"""The current record: `F.delay` is the field `delay` of its value."""
