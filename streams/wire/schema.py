"""The one place where kio's generated message classes are loaded, filled in, written and read.

kio has a class per API, direction and version (`JoinGroupRequest` v5, v6, …), some hundreds altogether; importing all
takes most of a second, so each is imported when it is first needed. Which class it is depends on what the server
offers: that is why requests are described as plain nested mappings, and why this module's types are loose.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields as fields_of
from dataclasses import is_dataclass
from importlib import import_module
from io import BytesIO
from typing import Any, cast, get_args

from kio.serial import entity_reader, entity_writer
from kio.serial.errors import SerialError

Fields = Mapping[str, Any]
"""Field names of kio's newest class for the message; a sequence of mappings where it has nested entities."""


class MalformedError(ValueError):
    """Bytes that are not the message they should be."""


def request_schema(api: str, version: int) -> Any:
    return _schema(api, version, "Request")


def response_schema(api: str, version: int) -> Any:
    return _schema(api, version, "Response")


def _schema(api: str, version: int, direction: str) -> Any:
    """By its place in kio, whose index of all of them takes as long to load as what a worker needs of it."""
    place = re.sub("(?<=.)(?=[A-Z])", "_", api).lower()
    return getattr(import_module(f"kio.schema.{place}.v{version}.{direction.lower()}"), api + direction)


def fill(schema: Any, values: Fields) -> Any:
    """An instance of `schema`. Values for fields this version does not have are left out.

    That is how one description serves all versions, also where a message changed its shape (FindCoordinator 4 asks for
    a list of keys, its forerunners for one: the description has both). What must not be lost is guarded by the lowest
    version the request allows.
    """
    known = {field.name: field for field in fields_of(schema)}
    return schema(**{name: fit(known[name].type, value) for name, value in values.items() if name in known})


def fit(declared: Any, value: Any) -> Any:
    """`value` for a field declared as a scalar or as `tuple[Entity, ...]`, maybe `| None`."""
    if not isinstance(value, (list, tuple)):
        return value
    elements = cast("tuple[Any, ...] | list[Any]", value)
    entity = nested_entity(declared)
    return tuple(elements) if entity is None else tuple(fill(entity, element) for element in elements)


def nested_entity(declared: Any) -> Any | None:
    if is_dataclass(declared):
        return declared
    return next((found for part in get_args(declared) if (found := nested_entity(part)) is not None), None)


def encode(entity: Any) -> bytes:
    buffer = BytesIO()
    entity_writer(cast(Any, type(entity)))(buffer, entity)
    return buffer.getvalue()


def decode(schema: Any, data: bytes | memoryview, offset: int = 0) -> tuple[Any, int]:
    """The entity that starts at `offset`, and the offset after it.

    Raises:
        MalformedError: the bytes are not such an entity.
    """
    try:
        entity, size = entity_reader(schema)(data, offset)
    except (SerialError, ValueError) as error:  # kio has an error of its own for some faults, ValueError for others
        raise MalformedError(f"{schema.__name__}: {error}") from error
    return entity, offset + size
