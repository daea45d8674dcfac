"""`serde_for`: from the type a user declares to the serde of its keys or values."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from typing import Any, Literal, get_args, get_origin
from uuid import UUID

import msgspec
from msgspec import inspect as shapes

from streams.errors import SourceLine, TopologyError, TopologyProblem
from streams.serde.faust_record import FaustRecord
from streams.serde.foreign import is_foreign
from streams.serde.models import Pydantic
from streams.serde.primitives import Boolean, Bytes, Float, Integer, String, Uuid
from streams.serde.reflection import describe_type, is_faust_record, is_pydantic_model, plain_type
from streams.serde.serde import Role, Serde
from streams.serde.structured import Json
from streams.serde.unknown import Unknown

SCALARS: dict[Any, Callable[[], Serde]] = {
    str: String,
    int: Integer,
    float: Float,
    bool: Boolean,
    bytes: Bytes,
    UUID: Uuid,
}
CURE = (
    "use str, int, float, bool, bytes, dict, list, a msgspec.Struct, dataclass, TypedDict, pydantic model or "
    "faust.Record, or pass a Serde(serialize=…, deserialize=…)"
)


def serde_for(type_or_serde: Any, *, role: Role, origin: SourceLine | None = None) -> Serde:
    """The serde of a declared type; a `Serde` is passed through.

    Single values (str, int, float, bool, bytes, UUID) have Kafka's own formats, as keys and as values alike; pydantic
    models and Faust records go through their own JSON; all else is JSON by msgspec. `None` in a union is dropped: a
    null key or value never reaches a serde. `Unknown` and `Any` are JSON of whatever comes.

    Raises:
        TopologyError: with one problem at `origin`, if no serde fits the type.
    """
    if isinstance(type_or_serde, Serde):
        return type_or_serde
    kind = plain_type(type_or_serde)
    scalar = SCALARS.get(_scalar(kind)) if kind is not Unknown else None
    if scalar is not None:
        return _checked(scalar(), type_or_serde)
    if is_pydantic_model(kind):
        return Pydantic(kind)
    if is_faust_record(kind):
        return FaustRecord(kind)
    problem = _problem_with(kind)
    if problem == "":
        return Json(kind)
    if problem == "pydantic":
        return Pydantic(kind)
    message = f"{describe_type(type_or_serde)} cannot be the type of a {role}: {problem}; {CURE}"
    raise TopologyError([TopologyProblem(message=message, origin=origin)])


def _scalar(kind: Any) -> Any:
    """The class whose format a type shares: `str` for `Literal["a", "b"]`; None where there is none."""
    if get_origin(kind) is Literal:
        classes: set[Any] = {type(choice) for choice in get_args(kind)}
        return classes.pop() if len(classes) == 1 else None
    return kind if isinstance(kind, type) else None


def _checked(serde: Serde, declared: Any) -> Serde:
    """The serde, checking what it reads where the declared type says more than its class: choices, bounds."""
    if plain_type(declared) is serde.type and not _constraints(declared):
        return serde
    deserialize, convert = serde.deserialize, msgspec.convert

    def checked(data: bytes) -> Any:
        return convert(deserialize(data), declared, builtin_types=(bytes, UUID))

    return Serde(serialize=serde.serialize, deserialize=checked, type=declared, name=serde.name, form=serde.form)


def _constraints(declared: Any) -> bool:
    """Whether an annotation carries a `msgspec.Meta` anywhere at its top."""
    if any(isinstance(extra, msgspec.Meta) for extra in getattr(declared, "__metadata__", ())):
        return True
    return any(_constraints(member) for member in get_args(declared) if member is not types.NoneType)


def _problem_with(kind: Any) -> str:
    """Why JSON by msgspec cannot hold a type: "" if it can, "pydantic" if pydantic has to do it."""
    if kind is Unknown:
        return ""
    name = getattr(kind, "__name__", "")
    if (
        not isinstance(kind, type)
        and callable(kind)
        and str(getattr(kind, "__module__", "")).startswith("streams.serde")
    ):
        return f"it is a function that makes a serde; call it: {name}()"
    try:
        shape = shapes.type_info(kind)
    except NameError as error:
        return f"one of its annotations cannot be resolved ({error})"
    except TypeError as error:
        return f"JSON cannot hold it ({str(error).partition(chr(10))[0]})"
    parts = list(_parts(shape, "", set()))
    custom = [(path, part.cls) for path, part in parts if isinstance(part, shapes.CustomType)]
    alien = [(path, cls) for path, cls in custom if not is_foreign(cls)]
    if alien:
        path, cls = alien[0]
        what = f"its field {path!r} is a {describe_type(cls)}, which" if path else "it"
        return f"{what} is no type that JSON can hold"
    holds_struct = any(isinstance(part, shapes.StructType) for _, part in parts)
    if custom and all(is_pydantic_model(cls) for _, cls in custom) and not holds_struct:
        return "pydantic"  # reads the type as a whole, faster than msgspec model by model; it knows no Structs
    try:
        msgspec.json.Decoder(kind)
    except TypeError as error:
        return f"JSON cannot hold it ({str(error).partition(chr(10))[0]})"
    return ""


def _parts(shape: Any, path: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """(path of the field, shape) of a type and everything inside it, each once."""
    if id(shape) in seen:  # a recursive type
        return
    seen.add(id(shape))
    yield path, shape
    inside: list[Any] = []
    if isinstance(shape, shapes.StructType | shapes.DataclassType | shapes.TypedDictType | shapes.NamedTupleType):
        for field in shape.fields:
            yield from _parts(field.type, f"{path}.{field.name}".lstrip("."), seen)
    elif isinstance(shape, shapes.UnionType):
        inside += shape.types
    elif isinstance(shape, shapes.TupleType):
        inside += shape.item_types
    elif isinstance(shape, shapes.DictType):
        inside += (shape.key_type, shape.value_type)
    elif isinstance(shape, shapes.CollectionType):
        inside.append(shape.item_type)
    for each in inside:
        yield from _parts(each, path, seen)
