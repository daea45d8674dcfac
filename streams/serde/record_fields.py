"""The fields of a class whose values are records on the wire: names as they are written, types, defaults."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from msgspec import Struct

from streams.serde.reflection import (
    annotated_fields,
    class_of,
    is_dataclass,
    is_pydantic_model,
    is_struct,
    is_typed_dict,
    required_keys,
)


class NoDefault:
    """The class of `NO_DEFAULT`."""


NO_DEFAULT = NoDefault()


class RecordField(Struct, frozen=True):
    """`name` is the one in the class, `wire_name` the one in the bytes; `default` is `NO_DEFAULT` for a field that has
    to be given. `extras` are notes on the type that are kept beside it (pydantic's), outermost first."""

    name: str
    wire_name: str
    type: Any
    default: Any = NO_DEFAULT
    extras: tuple[Any, ...] = ()


def record_fields(kind: Any) -> tuple[RecordField, ...] | None:
    """The fields of a Struct, dataclass, TypedDict or pydantic model in their order; None for any other type.

    Raises:
        NameError: an annotation cannot be resolved.
    """
    if is_struct(kind):
        return tuple(_of_struct(kind))
    if is_pydantic_model(kind):
        return tuple(_of_model(kind))
    if is_dataclass(kind):
        return tuple(_of_dataclass(kind))
    if is_typed_dict(kind):
        required = required_keys(kind)
        return tuple(
            RecordField(name, name, hint, NO_DEFAULT if name in required else None)
            for name, hint in annotated_fields(kind).items()
        )
    return None


def _of_struct(kind: Any) -> Iterator[RecordField]:
    for field in msgspec.structs.fields(kind):
        default = field.default
        if default is msgspec.NODEFAULT:
            default = NO_DEFAULT if field.default_factory is msgspec.NODEFAULT else field.default_factory()
        yield RecordField(field.name, field.encode_name, field.type, default)


def _of_model(kind: Any) -> Iterator[RecordField]:
    hints = annotated_fields(kind)
    for name, info in class_of(kind).model_fields.items():
        wire_name = info.serialization_alias or info.alias or name
        default = NO_DEFAULT if info.is_required() else info.get_default(call_default_factory=True)
        yield RecordField(name, wire_name, hints[name], default, tuple(info.metadata))


def _of_dataclass(kind: Any) -> Iterator[RecordField]:
    hints = annotated_fields(kind)
    for field in dataclasses.fields(class_of(kind)):
        default: Any = field.default
        if default is dataclasses.MISSING:
            factory: Callable[[], Any] | Any = field.default_factory
            default = NO_DEFAULT if factory is dataclasses.MISSING else factory()
        yield RecordField(field.name, field.name, hints[field.name], default)
