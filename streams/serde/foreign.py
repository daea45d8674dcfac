"""Pydantic models and Faust records inside values that msgspec writes: fields of a Struct, items of a list, the states
of named aggregates. msgspec calls these hooks for classes it does not know; values without such classes never get here.
"""

from __future__ import annotations

from typing import Any

import msgspec

from streams.serde.faust_record import read_record
from streams.serde.reflection import is_faust_record, is_pydantic_model


def is_foreign(kind: Any) -> bool:
    """Whether the hooks below can write and read the class."""
    return is_pydantic_model(kind) or is_faust_record(kind)


def encode_foreign(value: Any) -> Any:
    """What msgspec writes in place of a value of a foreign class. Raises NotImplementedError for other classes."""
    kind: Any = value.__class__
    if is_pydantic_model(kind):
        return value.model_dump(mode="json", by_alias=True)
    if is_faust_record(kind):
        return value.to_representation()
    raise NotImplementedError(f"JSON cannot hold a {kind.__qualname__}")


def decode_foreign(kind: Any, written: Any) -> Any:
    """A value of the foreign class `kind` of what `encode_foreign` gave. Raises NotImplementedError, and whatever the
    class raises for what is not one of its values."""
    if is_pydantic_model(kind):
        # by way of text: only its JSON mode reads dates and UUIDs from strings in strict models too
        return kind.model_validate_json(msgspec.json.encode(written))
    if is_faust_record(kind):
        return read_record(kind, written)
    raise NotImplementedError(f"JSON cannot hold a {kind.__qualname__}")
