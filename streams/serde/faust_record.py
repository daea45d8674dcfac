"""The serde of `faust.Record` classes, and what reads records inside other values.

Records are read as a Faust topic of that value type reads them. Faust itself converts fields that hold records, dates
or collections only when somebody looks at them; here they are converted at once, so that what does not fit is found
where it enters, and named. Nothing here imports Faust: whoever has a record has done so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from streams.serde.reflection import describe_type, is_faust_record
from streams.serde.serde import Serde


def FaustRecord(type: Any) -> Serde:
    """A `faust.Record` by the codec it names, JSON if it names none: what a Faust application reads and writes.

    An abstract class stands for its subclasses: each record is read as the class that its `__faust` field names, which
    has to be imported. A class that is not abstract passes that field over, unless it names a class with
    `allow_blessed_key=True` or `polymorphic_fields=True`.
    """
    from faust.serializers.codecs import dumps, loads

    codec = type._options.serializer or "json"

    def serialize(value: Any) -> bytes:
        return dumps(codec, value.to_representation())

    def deserialize(data: bytes) -> Any:
        return read_record(type, loads(codec, data))

    return Serde(
        serialize=serialize,
        deserialize=deserialize,
        type=type,
        name=f"FaustRecord({describe_type(type)})",
        form="faust",
    )


def read_record(kind: Any, data: Any) -> Any:
    """A record of the class, or of the subclass that the data names, of what a codec has read.

    Raises:
        ValueError: it is none; names the field.
    """
    name = describe_type(kind)
    if not isinstance(data, Mapping):
        raise ValueError(f"a {name} is an object with fields, not {data.__class__.__name__}")
    fields: dict[str, Any] = dict(data)  # pyright: ignore[reportUnknownArgumentType]
    try:
        if getattr(kind, "__is_abstract__", False):
            record = kind._maybe_reconstruct(fields)
        else:
            record = kind.from_data(dict(fields), preferred_type=kind)
    except Exception as error:  # whatever the conversions of its fields raise
        raise ValueError(_fault(kind, fields, error)) from error
    if not isinstance(record, kind):
        what = "names no class" if record.__class__ is dict else f"is a {describe_type(record.__class__)}"
        raise ValueError(f"a {name} is wanted, and the record {what}")
    _convert(record, describe_type(record.__class__))
    return record


def _convert(record: Any, path: str) -> None:
    """Has a record's fields converted, and those of the records in them. Raises ValueError with the field's path."""
    for field, descriptor in record._options.descriptors.items():
        if not descriptor.lazy_coercion:
            continue
        at = f"{path}.{field}"
        try:
            value = getattr(record, field)
        except Exception as error:  # likewise
            raise ValueError(f"{at}: {error}") from error
        found = 0
        for inner in _records(value):
            found += 1
            _convert(inner, at)
        if not found and value is not None and is_faust_record(descriptor.type):
            raise ValueError(f"{at}: a {describe_type(descriptor.type)} is wanted, not {value.__class__.__name__}")


def _records(value: Any) -> Iterator[Any]:
    """The records in a field's value, not those inside of them."""
    if is_faust_record(value.__class__):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():  # pyright: ignore[reportUnknownVariableType]
            yield from _records(each)
    elif isinstance(value, Sequence | set | frozenset) and not isinstance(value, str | bytes):
        for each in value:  # pyright: ignore[reportUnknownVariableType]
            yield from _records(each)


def _fault(kind: Any, data: Mapping[str, Any], error: Exception) -> str:
    """What is wrong with the data, with the names of class and field."""
    name, field = describe_type(kind), getattr(error, "field", None)
    if field is not None:  # faust.exceptions.ValidationError
        return f"{name}.{field.field}: {error.args[0]}"
    if getattr(kind, "__is_abstract__", False):
        return f"{name} is abstract: the class that the record names has to be imported: {error}"
    descriptors = kind._options.descriptors
    missing = [each.input_name for each in descriptors.values() if each.required and each.input_name not in data]
    if missing:
        return f"{name} has no {', '.join(missing)}"
    for descriptor in descriptors.values():
        value: Any = data.get(descriptor.input_name)
        try:
            if value is not None or descriptor.required:
                descriptor.to_python(value)
        except Exception as wrong:  # the one that the constructor raised, or one like it
            return f"{name}.{descriptor.field}: {wrong}"
    return f"{name}: {error}"
