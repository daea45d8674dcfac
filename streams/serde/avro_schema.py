"""Avro schemas of Python types.

    Python                          Avro
    bool, int, float, str, bytes    boolean, long, double, string, bytes
    datetime, date, time            timestamp-micros (UTC), date, time-micros
    Decimal with `Digits`           decimal (bytes)
    UUID                            uuid (string)
    Enum of names, Literal of names enum, by their values
    Enum or Literal of ints         long
    Struct, dataclass, TypedDict,   record; a tagged Struct has its tag as a field, an enum of one symbol
    pydantic model
    list, set, tuple[X, ...]        array
    dict[str, X]                    map
    X | None, X | Y                 union, the branch of the default first

Whatever else a type holds has no mapping, and is named by its path.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, TypeAlias, Union, cast, get_args, get_origin
from uuid import UUID

import msgspec
from msgspec import Struct

from streams.serde.record_fields import NO_DEFAULT, RecordField, record_fields
from streams.serde.reflection import class_of, describe_type, is_pydantic_model, is_struct, plain_type
from streams.serde.unknown import Unknown

Schema: TypeAlias = "str | dict[str, Any] | list[Any]"

PRIMITIVES: Mapping[Any, Schema] = {
    bool: "boolean",
    int: "long",
    float: "double",
    str: "string",
    bytes: "bytes",
    types.NoneType: "null",
    None: "null",
    datetime: {"type": "long", "logicalType": "timestamp-micros"},
    date: {"type": "int", "logicalType": "date"},
    time: {"type": "long", "logicalType": "time-micros"},
    UUID: {"type": "string", "logicalType": "uuid"},
}
LISTS = (list, set, frozenset, Sequence, typing.AbstractSet)
MAPS = (dict, Mapping)
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Digits(Struct, frozen=True):
    """How many digits a Decimal has, and how many of them behind the point: `Annotated[Decimal, Digits(18, 2)]`."""

    precision: int
    scale: int = 0


class SchemaTypeError(TypeError):
    """A type has no schema; the message names the path of the field that is to blame."""


def avro_schema(kind: Any, *, namespace: str | None = None, name: str | None = None) -> Schema:
    """The schema of a type, as JSON would give it. `namespace` is that of all its named types, `name` the record's, by
    default the class's own.

    Raises:
        SchemaTypeError: the type, or that of a field, has no mapping.
    """
    return _Naming(namespace, {} if name is None else {class_of(plain_type(kind)): name}).schema(kind, "", ())


class _Naming:
    """Schemas of one type and all it holds: a named type is written out once, and called by its name from then on."""

    def __init__(self, namespace: str | None, chosen: Mapping[Any, str]) -> None:
        self._namespace = namespace
        self._chosen = chosen
        self._known: dict[str, Any] = {}
        """Name -> what it is the name of."""
        self._symbols: dict[str, list[str]] = {}
        """Full name of an enum -> its symbols."""

    def schema(self, kind: Any, path: str, extras: tuple[Any, ...]) -> Schema:
        if get_origin(kind) is Annotated:
            inner, *notes = get_args(kind)
            return self.schema(inner, path, (*extras, *notes))
        origin = get_origin(kind)
        if origin is Union or origin is types.UnionType:
            return self._union(get_args(kind), path, extras)
        plain = plain_type(kind)
        if plain is not kind and plain is not Unknown:
            return self.schema(plain, path, extras)
        if plain in PRIMITIVES:
            return PRIMITIVES[plain]
        if plain is Decimal:
            return self._decimal(path, extras)
        origin = get_origin(plain)
        if origin is Literal:
            return self._choices(plain, get_args(plain), path)
        cls = class_of(plain)
        if cls is not None and issubclass(cls, Enum):
            return self._choices(cls, [member.value for member in cls], path)
        arguments = get_args(plain)
        if origin in LISTS or (origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis):
            return {"type": "array", "items": self.schema(arguments[0], f"{path}[]", ())}
        if origin in MAPS:
            if plain_type(arguments[0]) is not str:
                raise self._no_mapping(kind, path, "keys of an Avro map are strings: use dict[str, …]")
            return {"type": "map", "values": self.schema(arguments[1], f"{path}{{}}", ())}
        try:
            fields = None if plain is Unknown else record_fields(plain)
        except NameError as error:
            raise self._no_mapping(kind, path, f"one of its annotations cannot be resolved ({error})") from error
        if fields is None:
            raise self._no_mapping(kind, path, "say what it holds, or give the schema: Avro(type, schema=…)")
        return self._record(plain, fields, path)

    def _union(self, members: Sequence[Any], path: str, extras: tuple[Any, ...]) -> Schema:
        branches: list[Any] = []
        for member in members:
            branch = self.schema(member, path, extras)
            branches += [one for one in (branch if isinstance(branch, list) else [branch]) if one not in branches]
        kinds = [_kind(branch) for branch in branches]
        twice = {kind for kind in kinds if kinds.count(kind) > 1}
        if twice:
            raise self._no_mapping(Union[tuple(members)], path, f"an Avro union has one {twice.pop()} at most")  # noqa: UP007
        if "null" in branches:
            branches.sort(key=lambda branch: branch != "null")
        return branches if len(branches) > 1 else branches[0]

    def _decimal(self, path: str, extras: tuple[Any, ...]) -> Schema:
        for note in extras:
            if isinstance(note, Digits):
                return {"type": "bytes", "logicalType": "decimal", "precision": note.precision, "scale": note.scale}
            precision, scale = getattr(note, "max_digits", None), getattr(note, "decimal_places", None)
            if precision is not None:
                return {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale or 0}
        cure = "an Avro decimal has a fixed number of digits: Annotated[Decimal, Digits(precision=18, scale=2)]"
        raise self._no_mapping(Decimal, path, cure)

    def _choices(self, kind: Any, values: Sequence[Any], path: str) -> Schema:
        if all(isinstance(value, int) and not isinstance(value, bool) for value in values):
            return "long"
        if not all(isinstance(value, str) and NAME.fullmatch(value) for value in values):
            if all(isinstance(value, str) for value in values):
                return "string"  # its values are no names, as an Avro enum's have to be
            raise self._no_mapping(kind, path, "its values have to be all strings or all ints")
        named = isinstance(kind, type)
        name = kind.__name__ if named else f"{re.sub(r'[^A-Za-z0-9]+', '_', path).strip('_')}_choice"
        if self._known.get(name) == kind:
            return self._full(name)
        self._know(name, kind, path)
        return self._named({"type": "enum", "name": name, "symbols": list(values)})

    def _record(self, kind: Any, fields: Sequence[RecordField], path: str) -> Schema:
        cls = class_of(kind)
        name = self._chosen.get(cls) or re.sub(r"\W+", "_", describe_type(kind).rpartition(".")[2]).strip("_")
        if self._known.get(name) == kind:
            return self._full(name)
        self._know(name, kind, path)
        written: list[dict[str, Any]] = []
        if is_struct(kind):
            config = cls.__struct_config__
            if config.array_like:
                raise self._no_mapping(kind, path, "an Avro record has named fields: leave out array_like=True")
            if config.tag is not None:
                written.append({"name": config.tag_field, "type": self._tag(name, config.tag, path)})
        for field in fields:
            where = f"{path}.{field.name}".lstrip(".")
            if not NAME.fullmatch(field.wire_name):
                raise self._no_mapping(field.type, where, f"{field.wire_name!r} is no name of an Avro field")
            written.append(self._field(field, self.schema(field.type, where, field.extras)))
        return self._named({"type": "record", "name": name, "fields": written})

    def _tag(self, record: str, tag: str | int, path: str) -> Schema:
        if isinstance(tag, int):
            return "long"
        if not NAME.fullmatch(tag):
            raise self._no_mapping(str, path, f"its tag {tag!r} is no symbol of an Avro enum")
        self._know(f"{record}_tag", tag, path)
        return self._named({"type": "enum", "name": f"{record}_tag", "symbols": [tag]})

    def _field(self, field: RecordField, schema: Schema) -> dict[str, Any]:
        if field.default is NO_DEFAULT:
            return {"name": field.wire_name, "type": schema}
        default = _default(field.default)
        if isinstance(schema, list):  # a union's default belongs to its first branch
            fitting = [branch for branch in schema if self._fits(default, branch)]
            if not fitting:
                return {"name": field.wire_name, "type": schema}
            schema = [fitting[0], *(branch for branch in schema if branch is not fitting[0])]
        elif not self._fits(default, schema):
            return {"name": field.wire_name, "type": schema}
        return {"name": field.wire_name, "type": schema, "default": default}

    def _fits(self, default: Any, schema: Any) -> bool:
        """Whether a default is one of the schema's values, in the form that Avro's JSON has."""
        described: dict[str, Any] = {"type": schema} if isinstance(schema, str) else schema
        kind: str = described["type"]
        if "logicalType" in described:
            return False
        symbols = self._symbols.get(self._full(described["name"]) if kind == "enum" else kind)
        if symbols is not None:
            return default in symbols
        if kind == "array":
            return isinstance(default, list)
        if kind == "map":
            return isinstance(default, dict)
        classes = {"null": types.NoneType, "boolean": bool, "long": int, "double": float, "string": str}
        return type(default) is classes.get(kind) or (kind == "double" and type(default) is int)

    def _know(self, name: str, kind: Any, path: str) -> None:
        if name in self._known:
            raise self._no_mapping(kind, path, f"two types are called {name!r}, and an Avro schema has one of a name")
        self._known[name] = kind

    def _named(self, schema: dict[str, Any]) -> Schema:
        if schema["type"] == "enum":
            self._symbols[self._full(schema["name"])] = schema["symbols"]
        return schema if self._namespace is None else {**schema, "namespace": self._namespace}

    def _full(self, name: str) -> str:
        return name if self._namespace is None else f"{self._namespace}.{name}"

    def _no_mapping(self, kind: Any, path: str, why: str) -> SchemaTypeError:
        what = f"field {path!r} is a {describe_type(kind)}, which" if path else describe_type(kind)
        return SchemaTypeError(f"{what} has no Avro schema: {why}")


def _kind(schema: Any) -> str:
    """What a union may have one of: a name, or a kind of unnamed schemas."""
    return str(schema) if isinstance(schema, str) else str(schema.get("name", schema["type"]))


NOT_WRITTEN = object()
"""The default of a field that JSON would not give as Avro has it."""


def _default(value: Any) -> Any:
    if isinstance(value, Enum):
        value = value.value
    if value in ([], (), set()):
        return []
    if value is None or isinstance(value, bool | int | float | str) or value == {}:
        return value
    return NOT_WRITTEN


def record_name(schema: Any) -> str:
    """The full name of a record's schema, which subjects may have; that of the type for a schema without one.

    >>> record_name({"type": "record", "name": "Order", "namespace": "shop", "fields": []})
    'shop.Order'
    """
    if not isinstance(schema, Mapping):
        return schema if isinstance(schema, str) else "union"
    described = cast("Mapping[str, Any]", schema)
    name = described.get("name")
    if name is None:
        return str(described["type"])
    namespace = described.get("namespace")
    return f"{namespace}.{name}" if namespace and "." not in name else str(name)


def plain_value(value: Any) -> Any:
    """A typed value as Avro's writers take it: dicts, lists, and single values of Python's own."""
    return msgspec.to_builtins(value, builtin_types=BUILTIN, enc_hook=_encode_model)


BUILTIN = (bytes, datetime, date, time, Decimal, UUID)


def _encode_model(value: Any) -> Any:
    if not is_pydantic_model(type(value)):
        raise NotImplementedError(f"an Avro record cannot hold a {describe_type(type(value))}")
    return value.model_dump(by_alias=True)


def value_reader(kind: Any) -> Callable[[Any], Any]:
    """The function that makes a value of the type of what Avro's readers give. It raises what msgspec or pydantic
    does."""
    if kind is Any:
        return _as_it_is
    if is_pydantic_model(kind):
        return class_of(kind).model_validate

    def read(written: Any) -> Any:
        return msgspec.convert(written, kind, builtin_types=BUILTIN, dec_hook=_decode_model)

    return read


def _decode_model(kind: Any, written: Any) -> Any:
    if not is_pydantic_model(kind):
        raise NotImplementedError(f"an Avro record cannot hold a {describe_type(kind)}")
    return kind.model_validate(written)


def _as_it_is(written: Any) -> Any:
    return written
