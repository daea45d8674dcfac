"""Fields of a value, and items of a sequence: the paths of an expression."""

from __future__ import annotations

import difflib
import keyword
from dataclasses import dataclass
from typing import Any, cast

from streams.expressions.constant import constant_source
from streams.expressions.expression import Expression
from streams.expressions.names import Constants, RecordNames
from streams.expressions.record import KEY_NAMES, Value
from streams.serde import Unknown, access_kind, describe_type, field_names, field_type, item_type
from streams.serde.reflection import class_of, plain_type


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Field(Expression):
    """`owner.name` or `owner["name"]`, whichever the owner's type asks for; told per record where it is unknown."""

    _owner: Expression
    _field: str

    def __repr__(self) -> str:
        top = isinstance(self._owner, Value)
        taken = self._field in KEY_NAMES if top else hasattr(Expression, self._field)
        owner = "F" if top else repr(self._owner)
        if is_attribute_name(self._field) and not taken:
            return f"{owner}.{self._field}"
        return f'{owner}["{self._field}"]'

    @property
    def parts(self) -> tuple[Expression, ...]:
        return (self._owner,)

    def fields(self) -> frozenset[str] | None:
        if isinstance(self._owner, Value):
            return frozenset({self._field})
        return self._owner.fields()

    def source(self, names: RecordNames, constants: Constants) -> str:
        owner = self._owner.source(names, constants)
        kind = access_kind(self._owner.result_type(names.value_type, names.key_type))
        if kind == "item":
            return f"{owner}[{self._field!r}]"
        if kind == "attribute":
            return attribute_source(owner, self._field)
        local = owner if owner.isidentifier() else "_f"
        first = owner if local == owner else f"(_f := {owner})"
        attribute = attribute_source(local, self._field)
        return f"({local}[{self._field!r}] if isinstance({first}, dict) else {attribute})"

    def lenient_source(self, names: RecordNames, constants: Constants) -> str:
        owner = self._owner.lenient_source(names, constants)
        owner_type = self._owner.result_type(names.value_type, names.key_type)
        local = owner if owner.isidentifier() else "_f"
        first = owner if local == owner else f"(_f := {owner})"
        item = f"{local}.get({self._field!r})"
        attribute = f"getattr({local}, {self._field!r}, None)"
        kind = access_kind(owner_type)
        if kind == "item":
            found = item
        elif kind == "attribute":
            declared = self._field in (field_names(owner_type) or ())
            found = attribute_source(local, self._field) if declared else attribute
        else:
            found = f"{item} if isinstance({local}, dict) else {attribute}"
        return f"(None if {first} is None else {found})"

    def result_type(self, value_type: Any, key_type: Any = Unknown) -> Any:
        return field_type(self._owner.result_type(value_type, key_type), self._field)

    def problems(self, value_type: Any, key_type: Any = Unknown) -> tuple[str, ...]:
        found = self._owner.problems(value_type, key_type)
        owner_type = plain_type(self._owner.result_type(value_type, key_type))
        known = field_names(owner_type)
        if found or known is None or self._field in known or hasattr(class_of(owner_type), self._field):
            return found
        close = difflib.get_close_matches(self._field, known, n=1)
        cure = f"did you mean {close[0]!r}?" if close else f"it has {', '.join(known) or 'none'}"
        return (f"{self!r}: {describe_type(owner_type)} has no field {self._field!r}; {cure}",)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Index(Expression):
    """`owner[index]` with an index that is no field's name; one that is out of range raises, also when lenient."""

    _owner: Expression
    _index: Any

    def __repr__(self) -> str:
        return f"{self._owner!r}[{_index_text(self._index)}]"

    @property
    def parts(self) -> tuple[Expression, ...]:
        return (self._owner,)

    def source(self, names: RecordNames, constants: Constants) -> str:
        return f"{self._owner.source(names, constants)}[{constant_source(self._index, constants)}]"

    def lenient_source(self, names: RecordNames, constants: Constants) -> str:
        owner = self._owner.lenient_source(names, constants)
        return f"(None if (_f := {owner}) is None else _f[{constant_source(self._index, constants)}])"

    def result_type(self, value_type: Any, key_type: Any = Unknown) -> Any:
        owner = self._owner.result_type(value_type, key_type)
        if isinstance(self._index, slice):
            return owner if class_of(owner) in (str, bytes, list) else Unknown
        return item_type(owner, self._index)


def _index_text(index: Any) -> str:
    """An index as it is written; a slice with its colons."""
    if not isinstance(index, slice):
        return repr(index)
    start, stop, step = cast("tuple[Any, Any, Any]", (index.start, index.stop, index.step))  # pyright: ignore
    ends = ("" if end is None else repr(end) for end in (start, stop))
    return ":".join(ends) + ("" if step is None else f":{step!r}")


def is_attribute_name(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name)


def attribute_source(owner: str, name: str) -> str:
    """`owner.name`, for names that no identifier can be through `getattr`."""
    return f"{owner}.{name}" if is_attribute_name(name) else f"getattr({owner}, {name!r})"
