"""What a Python type says about its values: which fields they have, of which types, and how one gets at them."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Collection,
    Generator,
    Iterable,
    Iterator,
    Mapping,
    MutableMapping,
    MutableSequence,
    Sequence,
    Set,
)
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec

from streams.serde.unknown import Unknown

AccessKind = Literal["attribute", "item", "either"]

_MAPPINGS = (dict, Mapping, MutableMapping)
_ITERABLES = (
    list,
    set,
    frozenset,
    Sequence,
    MutableSequence,
    Set,
    Collection,
    Iterable,
    Iterator,
    Generator,
    AsyncIterable,
    AsyncIterator,
    AsyncGenerator,
)


def plain_type(kind: Any) -> Any:
    """`kind` without what does not change a value's shape: `Annotated`, `NewType`, and the None of an optional.

    `Any`, `object` and type variables without a bound are `Unknown`.
    """
    while True:
        origin = get_origin(kind)
        if origin is Annotated:
            kind = get_args(kind)[0]
        elif isinstance(kind, typing.NewType):
            kind = kind.__supertype__
        elif origin is Union or origin is types.UnionType:
            members = tuple(member for member in get_args(kind) if member is not types.NoneType)
            if len(members) == len(get_args(kind)):
                return kind
            kind = members[0] if len(members) == 1 else Union[members]  # noqa: UP007 (built at run time)
        elif isinstance(kind, TypeVar):
            kind = kind.__bound__ or Any
        elif getattr(kind, "__value__", None) is not None and type(kind).__name__ == "TypeAliasType":
            kind = kind.__value__
        else:
            return Unknown if kind is Any or kind is object else kind


def alternatives(kind: Any) -> tuple[Any, ...]:
    """The members of a union, else the type alone; each plain."""
    kind = plain_type(kind)
    if get_origin(kind) in (Union, types.UnionType):
        return tuple(plain_type(member) for member in get_args(kind))
    return (kind,)


def class_of(kind: Any) -> Any:
    """The class behind a plain type, also of a generic alias; None for what is no class."""
    origin = get_origin(kind) or kind
    return origin if isinstance(origin, type) else None


def is_struct(kind: Any) -> bool:
    cls = class_of(kind)
    return cls is not None and issubclass(cls, msgspec.Struct)


def is_dataclass(kind: Any) -> bool:
    cls = class_of(kind)
    return cls is not None and dataclasses.is_dataclass(cls)


def is_mapping(kind: Any) -> bool:
    """Whether its values are read with `["name"]`: dicts, TypedDicts and other mappings."""
    cls = class_of(kind)
    return is_typed_dict(kind) or (cls is not None and issubclass(cls, Mapping))


def is_typed_dict(kind: Any) -> bool:
    return typing.is_typeddict(class_of(kind) or kind)


def is_pydantic_model(kind: Any) -> bool:
    """Told by its attributes, so that pydantic is imported only by those who use it."""
    cls = class_of(kind)
    return cls is not None and hasattr(cls, "__pydantic_core_schema__") and hasattr(cls, "model_validate_json")


def is_faust_record(kind: Any) -> bool:
    """Told by its ancestors, so that Faust is imported only by those who use it."""
    cls = class_of(kind)
    return cls is not None and any(
        base.__name__ == "Record" and base.__module__.startswith("faust.") for base in cls.__mro__[1:]
    )


def access_kind(kind: Any) -> AccessKind:
    """How the fields of a value are read: `value.name`, `value["name"]`, or not known before a value is seen."""
    kinds: set[AccessKind] = {_access_kind(member) for member in alternatives(kind)}
    return kinds.pop() if len(kinds) == 1 else "either"


def _access_kind(kind: Any) -> AccessKind:
    if kind is Unknown:
        return "either"
    if is_mapping(kind):
        return "item"
    return "either" if class_of(kind) is None else "attribute"


def field_names(kind: Any) -> tuple[str, ...] | None:
    """The fields a value of this type can have; None where they are open (a dict) or unknown."""
    kind = plain_type(kind)
    if is_struct(kind) or is_dataclass(kind) or is_typed_dict(kind) or is_faust_record(kind) or is_pydantic_model(kind):
        return tuple(annotated_fields(kind))
    return None


def field_type(kind: Any, name: str) -> Any:
    """The type of a value's field `name`, `Unknown` where it cannot be told."""
    found: list[Any] = []
    for member in alternatives(kind):
        field = _field_type(member, name)
        if field is Unknown:
            return Unknown
        if field not in found:
            found.append(field)
    return found[0] if len(found) == 1 else Unknown


def _field_type(kind: Any, name: str) -> Any:
    cls = class_of(kind)
    if cls is None:
        return Unknown
    if is_mapping(kind) and not is_typed_dict(kind):
        arguments = get_args(kind)
        return _known(arguments[1]) if get_origin(kind) in _MAPPINGS and len(arguments) == 2 else Unknown
    fields = annotated_fields(kind)
    if name in fields:
        return _known(fields[name])
    attribute = getattr(cls, name, None)
    if isinstance(attribute, property) and attribute.fget is not None:
        return _known(_hints(attribute.fget).get("return", Unknown))
    return Unknown


def item_type(kind: Any, index: Any) -> Any:
    """The type of `value[index]`, `Unknown` where it cannot be told."""
    kind = plain_type(kind)
    if isinstance(index, str):
        return field_type(kind, index) if access_kind(kind) == "item" else Unknown
    arguments = get_args(kind)
    cls = class_of(kind)
    if cls is None or not arguments or not isinstance(index, int):
        return Unknown
    if issubclass(cls, tuple) and arguments[-1] is not Ellipsis:
        return _known(arguments[index]) if -len(arguments) <= index < len(arguments) else Unknown
    return _known(arguments[0]) if issubclass(cls, list | tuple) else Unknown


def element_type(kind: Any) -> Any:
    """What iterating over a value of this type gives, as a flat map does; `Unknown` where it cannot be told."""
    kind = plain_type(kind)
    arguments = get_args(kind)
    origin = get_origin(kind)
    if origin in _ITERABLES and arguments:
        return _known(arguments[0])
    if origin is tuple and arguments:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return _known(arguments[0])
        return _known(arguments[0]) if all(argument == arguments[0] for argument in arguments) else Unknown
    return str if kind is str else Unknown


def pair_types(kind: Any) -> tuple[Any, Any]:
    """The types of key and value in a pair, as a mapper of both returns it; `Unknown` where they cannot be told."""
    arguments = get_args(plain_type(kind))
    if get_origin(plain_type(kind)) is tuple and len(arguments) == 2 and arguments[1] is not Ellipsis:
        return _known(arguments[0]), _known(arguments[1])
    return Unknown, Unknown


def _known(kind: Any) -> Any:
    return Unknown if plain_type(kind) is Unknown else kind


def annotated_fields(kind: Any) -> dict[str, Any]:
    """Field -> annotated type, with type arguments filled in; empty where annotations cannot be resolved."""
    cls = class_of(kind)
    if cls is None:
        return {}
    if is_struct(kind):
        try:
            return {field.name: field.type for field in msgspec.structs.fields(kind)}
        except NameError:  # a forward reference to a class that is not there (yet)
            return dict.fromkeys(cls.__struct_fields__, Unknown)
    hints = {name: hint for name, hint in _hints(cls).items() if get_origin(hint) is not typing.ClassVar}
    if is_dataclass(kind):
        names = [field.name for field in dataclasses.fields(cls)]
        hints = {name: hints.get(name, Unknown) for name in names}
    elif is_pydantic_model(kind):
        computed = {name: info.return_type for name, info in cls.model_computed_fields.items()}
        hints = {name: hints.get(name, Unknown) for name in cls.model_fields} | computed
    parameters = getattr(cls, "__parameters__", ())
    if parameters and get_args(kind):
        values = dict(zip(parameters, get_args(kind)))
        hints = {name: _substituted(hint, values) for name, hint in hints.items()}
    return hints


def _substituted(hint: Any, values: Mapping[Any, Any]) -> Any:
    """An annotation with its type variables filled in."""
    if isinstance(hint, TypeVar):
        return values.get(hint, hint)
    parameters = getattr(hint, "__parameters__", ())
    if not parameters:
        return hint
    return hint[tuple(values.get(parameter, parameter) for parameter in parameters)]


def _hints(annotated: Any) -> dict[str, Any]:
    try:
        hints = typing.get_type_hints(annotated, include_extras=True)
    except (NameError, TypeError):  # a forward reference that cannot be resolved from here
        return {}
    return {name: get_args(hint)[0] if is_qualified(hint) else hint for name, hint in hints.items()}


def is_qualified(hint: Any) -> bool:
    """Whether a TypedDict's annotation says `Required` or `NotRequired`."""
    return get_origin(hint) in (typing.Required, typing.NotRequired)


def required_keys(kind: Any) -> frozenset[str]:
    """The keys a TypedDict's value always has.

    `__required_keys__` does not see qualifiers in annotations that are strings, as they are in a module that imports
    `annotations` from `__future__`.
    """
    cls = class_of(kind)
    hints = typing.get_type_hints(cls, include_extras=True)
    return frozenset(
        name
        for name, hint in hints.items()
        if (get_origin(hint) is typing.Required if is_qualified(hint) else name in cls.__required_keys__)
    )


def describe_type(kind: Any) -> str:
    """A type as a person would write it: `Flight`, `dict[str, int]`, `str | None`."""
    if kind is Unknown:
        return "unknown"
    if kind is None or kind is types.NoneType:
        return "None"
    if kind is Ellipsis:
        return "..."
    origin = get_origin(kind)
    arguments: tuple[Any, ...] = get_args(kind)
    if origin in (Union, types.UnionType):
        return " | ".join(describe_type(member) for member in arguments)
    if origin is Annotated:
        return describe_type(arguments[0])
    if origin is Literal:
        return f"Literal[{', '.join(repr(argument) for argument in arguments)}]"
    if origin is not None:
        inside = ", ".join(describe_type(argument) for argument in arguments)
        return f"{describe_type(origin)}[{inside}]" if inside else describe_type(origin)
    if isinstance(kind, type):
        return kind.__qualname__.rpartition("<locals>.")[2]
    return getattr(kind, "__name__", None) or repr(kind)
