"""Which types have values that nobody can change in place, so that they need not be copied for functions of users."""

from __future__ import annotations

import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final, Literal, get_args, get_origin
from uuid import UUID

from streams.serde.reflection import alternatives, annotated_fields, class_of, is_dataclass, is_struct
from streams.serde.unknown import Unknown

SCALARS: Final = frozenset([int, str, float, bool, bytes, type(None)])
"""Told by the class of a value alone."""
_OTHERS: Final = frozenset(
    [complex, Decimal, UUID, datetime.datetime, datetime.date, datetime.time, datetime.timedelta]
)


def is_immutable(kind: Any) -> bool:
    """Whether no value of the type can be changed in place: numbers, text, times and enums; tuples, frozen sets, frozen
    structs and frozen dataclasses of such; optionals and unions of such. False where it cannot be told."""
    return _is_immutable(kind, frozenset())


def _is_immutable(kind: Any, within: frozenset[Any]) -> bool:
    """`within`: the classes whose fields are being looked at; one that holds itself hangs on the rest of it."""
    return all(_is_immutable_alone(each, within) for each in alternatives(kind))


def _is_immutable_alone(kind: Any, within: frozenset[Any]) -> bool:
    if kind is Unknown:
        return False
    if kind is None or kind in SCALARS or kind in _OTHERS or get_origin(kind) is Literal:
        return True
    cls = class_of(kind)
    if cls is None:
        return False
    if issubclass(cls, Enum) or cls in within:
        return True
    if cls in (tuple, frozenset):
        parts = [part for part in get_args(kind) if part is not Ellipsis]
        return bool(parts) and all(_is_immutable(part, within) for part in parts)
    if not _is_frozen(cls):
        return False
    fields = annotated_fields(kind).values()
    return bool(fields) and all(_is_immutable(field, within | {cls}) for field in fields)


def _is_frozen(cls: Any) -> bool:
    if is_struct(cls):
        return cls.__struct_config__.frozen
    return is_dataclass(cls) and cls.__dataclass_params__.frozen
