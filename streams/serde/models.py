"""The serde of pydantic models, which bring their own JSON."""

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
