"""What types say of their values: fields, their types, and how they are read."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Generic, NamedTuple, NotRequired, Required, TypedDict, TypeVar

import msgspec
import pydantic
import pytest

from streams.serde import Unknown, access_kind, field_names, field_type, item_type, plain_type
from streams.windowed import Windowed

T = TypeVar("T")
Bounded = TypeVar("Bounded", bound=int)


class Flight(msgspec.Struct, rename="camel"):
    origin: str
    delay_minutes: int | None
    other: Any = None

    @property
    def late(self) -> bool:
        return True


class Box(msgspec.Struct, Generic[T]):
    content: T


@dataclasses.dataclass
class Airport:
    iata: str
    first: Flight

    def name(self) -> str:
        return self.iata


@dataclasses.dataclass
class Pair(Generic[T]):
    left: T
    both: list[T]


class Row(TypedDict, total=False):
    name: Required[str]
    size: NotRequired[int]
    weight: float


class Order(pydantic.BaseModel):
    id: int

    @pydantic.computed_field
    @property
    def twice(self) -> int:
        return 2 * self.id


class Point(NamedTuple):
    x: int


class Forward(msgspec.Struct):
    missing: Nowhere  # type: ignore  # noqa: F821


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        (Flight, "origin", str),
        (Flight, "delay_minutes", int | None),
        (Flight, "delayMinutes", Unknown),
        (Flight, "late", bool),
        (Flight, "other", Unknown),
        (Flight, "nothing", Unknown),
        (Flight | None, "origin", str),
        (Annotated[Flight, "x"], "origin", str),
        (Flight | Airport, "origin", Unknown),
        (Flight | Windowed[str], "key", Unknown),
        (Box[int], "content", int),
        (Box, "content", Unknown),
        (Windowed[str], "key", str),
        (Windowed[str], "start", int),
        (Airport, "first", Flight),
        (Airport, "name", Unknown),
        (Pair[int], "left", int),
        (Pair[int], "both", list[int]),
        (Row, "name", str),
        (Row, "size", int),
        (Row, "weight", float),
        (dict[str, int], "anything", int),
        (Mapping[str, int], "anything", int),
        (dict, "anything", Unknown),
        (Order, "id", int),
        (Order, "twice", int),
        (Point, "x", int),
        (int, "real", Unknown),
        (Unknown, "x", Unknown),
        (Any, "x", Unknown),
        (Forward, "missing", Unknown),
    ],
)
def test_field_type_of_type_is_its_annotation(kind: Any, name: str, expected: Any) -> None:
    assert field_type(kind, name) == expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Flight, "attribute"),
        (Flight | None, "attribute"),
        (Flight | Airport, "attribute"),
        (Flight | dict, "either"),
        (Airport, "attribute"),
        (Order, "attribute"),
        (Windowed[str], "attribute"),
        (datetime, "attribute"),
        (Row, "item"),
        (dict, "item"),
        (dict[str, int], "item"),
        (Mapping[str, int] | None, "item"),
        (Unknown, "either"),
        (Any, "either"),
        (object, "either"),
        (T, "either"),
    ],
)
def test_access_kind_of_type_says_how_fields_are_read(kind: Any, expected: str) -> None:
    assert access_kind(kind) == expected


def test_faust_record_is_read_by_attribute_with_its_annotations() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import faust

    class Transfer(faust.Record):
        account: str
        amount: int = 0

    assert access_kind(Transfer) == "attribute"
    assert field_type(Transfer, "amount") is int
    assert set(field_names(Transfer) or ()) >= {"account", "amount"}


def test_field_names_of_closed_types_are_all_and_of_open_types_none() -> None:
    assert field_names(Flight) == ("origin", "delay_minutes", "other")
    assert field_names(Airport) == ("iata", "first")
    assert set(field_names(Row) or ()) == {"name", "size", "weight"}
    assert set(field_names(Order) or ()) == {"id", "twice"}
    assert field_names(Forward) == ("missing",)
    for kind in (dict, dict[str, int], Unknown, Any, int, datetime):
        assert field_names(kind) is None


def test_item_type_of_sequences_and_mappings() -> None:
    assert item_type(list[int], 3) is int
    assert item_type(tuple[int, str], 1) is str
    assert item_type(tuple[int, str], 2) is Unknown
    assert item_type(tuple[int, ...], 7) is int
    assert item_type(dict[str, int], "x") is int
    assert item_type(Flight, "origin") is Unknown
    assert item_type(list, 0) is Unknown


def test_plain_type_strips_what_does_not_change_the_shape() -> None:
    assert plain_type(Annotated[int | None, "x"] | None) is int
    assert plain_type(int | str | None) == int | str
    assert plain_type(Bounded) is int
    assert plain_type(T) is Unknown
