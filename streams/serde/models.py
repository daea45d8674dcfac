"""Serdes of classes that bring their own JSON: pydantic models and Faust records."""

from __future__ import annotations

from typing import Any

from streams.serde.reflection import describe_type, is_pydantic_model
from streams.serde.serde import Serde


def Pydantic(type: Any) -> Serde:
    """JSON through pydantic, of a model or of an annotation that holds models (`list[Order]`).

    Written by alias, because that is what pydantic reads. Costs several times what msgspec does.
    """
    from pydantic import TypeAdapter

    adapter: TypeAdapter[Any] = TypeAdapter(type)

    def serialize_model(value: Any) -> bytes:
        # the value's own class writes, so that a subclass's fields are not lost
        return value.model_dump_json(by_alias=True).encode()

    def serialize(value: Any) -> bytes:
        return adapter.dump_json(value, by_alias=True)

    return Serde(
        serialize=serialize_model if is_pydantic_model(type) else serialize,
        deserialize=adapter.validate_json,
        type=type,
        name=f"Pydantic({describe_type(type)})",
        form="pydantic",
    )


def FaustRecord(type: Any) -> Serde:
    """A `faust.Record` by the codec it names, JSON if it names none: what a Faust application reads and writes."""
    codec = type._options.serializer or "json"

    def serialize(value: Any) -> bytes:
        return value.dumps(serializer=codec)

    def deserialize(data: bytes) -> Any:
        return type.loads(data, serializer=codec)

    return Serde(
        serialize=serialize,
        deserialize=deserialize,
        type=type,
        name=f"FaustRecord({describe_type(type)})",
        form="faust",
    )
