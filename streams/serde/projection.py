"""Projection: reading only those fields of a value that somebody looks at.

    Flight(ts, origin, destination, delay, distance), fields {"delay"}   →   a Struct of `delay` alone

msgspec skips what a type does not declare without building it, so a projected decode costs a fraction. The price is
that fields nobody reads are not checked.
"""

from __future__ import annotations

import dataclasses
from typing import Any, NotRequired, TypedDict, cast

import msgspec
from msgspec.structs import replace

from streams.serde.reflection import (
    annotated_fields,
    class_of,
    describe_type,
    is_dataclass,
    is_struct,
    is_typed_dict,
    plain_type,
    required_keys,
)
from streams.serde.serde import Serde
from streams.serde.structured import JSON_FORM, MESSAGE_PACK_FORM, Json, MessagePack


def project(serde: Serde, fields: frozenset[str]) -> Serde | None:
    """A serde whose values have only these top-level fields, or None where that is not possible.

    Its values are read as those of the whole type are: Structs with the same attribute names, types, defaults and
    encoded names for a Struct or dataclass, dicts for a TypedDict. It writes only these fields.

    Not possible: a serde other than `Json` and `MessagePack`; a type that is no Struct, dataclass or TypedDict; a
    field it does not have; a type that runs code of its own on construction (`__post_init__`), forbids unknown
    fields, or is an array on the wire.
    """
    make = {JSON_FORM: Json, MESSAGE_PACK_FORM: MessagePack}.get(serde.form or "")
    if make is None:
        return None
    kind = plain_type(serde.type)
    if is_struct(kind):
        projected = _of_struct(kind, fields)
    elif is_dataclass(kind):
        projected = _of_dataclass(kind, fields)
    elif is_typed_dict(kind):
        projected = _of_typed_dict(kind, fields)
    else:
        projected = None
    if projected is None:
        return None
    return replace(make(projected), name=f"{serde.name} of {', '.join(sorted(fields)) or 'no field'}")


def _of_struct(kind: Any, wanted: frozenset[str]) -> type | None:
    cls = class_of(kind)
    config = cls.__struct_config__
    if config.array_like or config.forbid_unknown_fields or hasattr(cls, "__post_init__"):
        return None
    try:
        infos = {info.name: info for info in msgspec.structs.fields(kind)}
    except NameError:
        return None
    if not wanted <= infos.keys():
        return None
    chosen = [infos[name] for name in sorted(wanted)]
    declared: list[tuple[str, Any, Any]] = [
        (
            info.name,
            info.type,
            msgspec.field(name=info.encode_name)
            if info.required
            else msgspec.field(default=info.default, name=info.encode_name)
            if info.default is not msgspec.NODEFAULT
            else msgspec.field(default_factory=info.default_factory, name=info.encode_name),
        )
        for info in chosen
    ]
    # A tag is part of the format: it is checked as the whole type would.
    return msgspec.defstruct(
        _name(kind), declared, kw_only=True, tag=config.tag, tag_field=config.tag_field, module=cls.__module__
    )


def _of_dataclass(kind: Any, wanted: frozenset[str]) -> type | None:
    cls = class_of(kind)
    if cls is None or hasattr(cls, "__post_init__") or hasattr(cls, "__pydantic_validator__"):
        return None
    infos = {field.name: field for field in dataclasses.fields(cls) if field.init}
    types = annotated_fields(kind)
    if not wanted <= infos.keys() or not wanted <= types.keys():
        return None
    declared: list[tuple[str, Any, Any]] = []
    for name in sorted(wanted):
        info = infos[name]
        if info.default is not dataclasses.MISSING:
            field = msgspec.field(default=info.default)
        elif info.default_factory is not dataclasses.MISSING:
            field = msgspec.field(default_factory=info.default_factory)
        else:
            field = msgspec.field()
        declared.append((name, types[name], field))
    return msgspec.defstruct(_name(kind), declared, kw_only=True, module=cls.__module__)


def _of_typed_dict(kind: Any, wanted: frozenset[str]) -> Any:
    types = annotated_fields(kind)
    if not wanted <= types.keys():
        return None
    required = required_keys(kind)
    fields: dict[str, Any] = {}
    for name in sorted(wanted):
        fields[name] = types[name] if name in required else cast(Any, NotRequired)[types[name]]
    return cast(Any, TypedDict)(_name(kind), fields)


def _name(kind: Any) -> str:
    """What error messages call the projected type: the name of the whole one."""
    return describe_type(class_of(kind))
