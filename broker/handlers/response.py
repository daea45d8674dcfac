"""Builds a response of the request's version from one version-neutral tree.

A handler says everything it knows, as keyword arguments, lists and dicts named after the fields of Kafka's schemas;
what a version has no field for is left out here, so no handler repeats the schema of ten versions:

    response(request, error_code=…, members=[{"member_id": …, "group_instance_id": …}, …])
"""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import cache
from types import UnionType
from typing import Any, get_args, get_origin

NO_THROTTLING = timedelta(0)
MILLISECOND = timedelta(milliseconds=1)


def response(request: Any, **fields: Any) -> Any:
    """The response entity of the request's API and version. `throttle_time` is 0 unless given."""
    fields.setdefault("throttle_time", NO_THROTTLING)
    return build(response_type(request.__class__), fields)


@cache
def response_type(request_type: type) -> type:
    """The response class beside a request class: `kio.schema.<api>.v<version>.response`."""
    module = importlib.import_module(request_type.__module__.removesuffix("request") + "response")
    return getattr(module, request_type.__name__.removesuffix("Request") + "Response")


def build(entity: type, fields: Mapping[str, Any]) -> Any:
    """An entity from a tree: dicts become nested entities, unknown names are dropped."""
    values: dict[str, Any] = {}
    for name, nested, many in layout(entity):
        if name in fields:
            value = fields[name]
            if nested is not None and value is not None:
                value = build_all(nested, value) if many else build(nested, value)
            values[name] = value
    return entity(**values)


def build_all(entity: type, items: Iterable[Mapping[str, Any]]) -> tuple[Any, ...]:
    return tuple(build(entity, item) for item in items)


@cache
def layout(entity: type) -> tuple[tuple[str, type | None, bool], ...]:
    """Field name; for nested entities their class, and whether there is an array of them."""
    return tuple((field.name, *nested_entity(field.type)) for field in dataclasses.fields(entity))


def nested_entity(annotation: Any) -> tuple[type | None, bool]:
    for option in get_args(annotation) if isinstance(annotation, UnionType) else (annotation,):
        many = get_origin(option) is tuple
        item = get_args(option)[0] if many else option
        if hasattr(item, "__dataclass_fields__"):
            return item, many
    return None, False


def milliseconds(duration: timedelta) -> int:
    """Wire durations come as timedelta; the broker counts in ms."""
    return duration // MILLISECOND
