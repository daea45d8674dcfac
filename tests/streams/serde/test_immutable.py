"""Types whose values nobody can change in place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar

import msgspec
import pytest

from streams.serde.immutable import is_immutable

T = TypeVar("T")


class Colour(Enum):
    RED = 1


class Point(msgspec.Struct, frozen=True):
    x: int
    at: datetime | None = None


class Line(msgspec.Struct, frozen=True):
    ends: tuple[Point, Point]
    colour: Colour
    next: Line | None = None


class Box(msgspec.Struct, Generic[T], frozen=True):
    content: T


class Thawed(msgspec.Struct):
    x: int


class Holder(msgspec.Struct, frozen=True):
    x: int
    kept: list[int]


class Outer(msgspec.Struct, frozen=True):
    inner: Thawed


class Lost(msgspec.Struct, frozen=True):
    x: Nowhere  # noqa: F821  # pyright: ignore


@dataclass(frozen=True)
class Money:
    amount: Decimal


@dataclass
class Account:
    amount: Decimal


class Pair(NamedTuple):
    kept: list[int]


@pytest.mark.parametrize(
    "kind",
    [
        int,
        str | None,
        None,
        Annotated[int, msgspec.Meta(ge=0)],
        Literal["a", "b"],
        Colour,
        tuple[int, ...],
        tuple[int, str],
        frozenset[str],
        Point,
        Line,
        Point | Line | None,
        Box[int],
        Money,
    ],
)
def test_type_of_values_that_stay_as_they_are_is_immutable(kind: Any) -> None:
    assert is_immutable(kind)


@pytest.mark.parametrize(
    "kind",
    [
        Any,
        object,
        list[int],
        dict[str, int],
        tuple,
        tuple[list[int], ...],
        Thawed,
        Holder,
        Outer,
        Lost,
        Box[list[int]],
        Box,
        Point | Thawed,
        Account,
        Pair,
        bytearray,
    ],
)
def test_type_of_values_that_can_change_or_nobody_knows_is_not_immutable(kind: Any) -> None:
    assert not is_immutable(kind)
