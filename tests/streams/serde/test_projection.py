"""Projection: the same values, decoded with only the fields that are read."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, Generic, NotRequired, TypedDict, TypeVar

import msgspec
import pydantic
import pytest

from streams.serde import Integer, Json, MessagePack, Serde, access_kind, field_names, field_type, project, serde_for

T = TypeVar("T")


class Flight(msgspec.Struct, rename="camel"):
    origin: str
    delay_minutes: int
    tags: list[str] = []
    weight: Annotated[float, msgspec.Meta(ge=0)] = 1.5
    note: str | None = None


class Tagged(msgspec.Struct, tag="flight", tag_field="kind"):
    origin: str
    delay: int


class OtherTagged(msgspec.Struct, tag="train", tag_field="kind"):
    origin: str


class Box(msgspec.Struct, Generic[T]):
    content: T
    other: int = 0


@dataclasses.dataclass
class Airport:
    iata: str
    runways: list[int] = dataclasses.field(default_factory=list)
    city: str = "?"
    derived: int = dataclasses.field(default=0, init=False)


Row = TypedDict("Row", {"name": str, "size": int, "maybe": NotRequired[int], "my key": int})


class StringlyRow(TypedDict):
    """Its annotations are strings, so that Python itself does not see that `maybe` may be absent."""

    size: int
    maybe: NotRequired[int]


def projected(kind: Any, *fields: str) -> Serde:
    serde = project(Json(kind), frozenset(fields))
    assert serde is not None
    return serde


def test_projected_struct_reads_renamed_fields_under_their_attribute_names() -> None:
    serde = projected(Flight, "delay_minutes", "origin")
    value = serde.deserialize(b'{"origin":"JFK","delayMinutes":5,"tags":7,"weight":"x"}')
    assert (value.origin, value.delay_minutes) == ("JFK", 5)
    assert not hasattr(value, "tags")
    assert field_names(serde.type) == ("delay_minutes", "origin")
    assert field_type(serde.type, "delay_minutes") is int
    assert serde.serialize(value) == b'{"delayMinutes":5,"origin":"JFK"}'


def test_projected_struct_keeps_defaults_types_and_constraints() -> None:
    serde = projected(Flight, "tags", "weight", "note")
    value, other = serde.deserialize(b"{}"), serde.deserialize(b"{}")
    assert (value.tags, value.weight, value.note) == ([], 1.5, None)
    assert value.tags is not other.tags
    with pytest.raises(msgspec.ValidationError, match="weight"):
        serde.deserialize(b'{"weight":-1}')
    with pytest.raises(msgspec.ValidationError, match="note"):
        serde.deserialize(b'{"note":1}')


def test_projected_struct_without_fields_still_wants_an_object() -> None:
    serde = projected(Flight)
    serde.deserialize(b'{"origin":5}')
    with pytest.raises(msgspec.ValidationError):
        serde.deserialize(b"[]")


def test_projected_tagged_struct_still_checks_its_tag() -> None:
    serde = projected(Tagged, "delay")
    assert serde.deserialize(b'{"kind":"flight","delay":5}').delay == 5
    with pytest.raises(msgspec.ValidationError, match="kind"):
        serde.deserialize(b'{"kind":"train","delay":5}')


def test_projected_generic_struct_has_its_type_arguments() -> None:
    serde = projected(Box[int], "content")
    with pytest.raises(msgspec.ValidationError):
        serde.deserialize(b'{"content":"x"}')


def test_projected_dataclass_keeps_defaults() -> None:
    value = projected(Airport, "runways", "city").deserialize(b'{"iata":5}')
    assert (value.runways, value.city) == ([], "?")


def test_projected_typed_dict_is_still_a_dict() -> None:
    serde = projected(Row, "size", "maybe", "my key")
    assert serde.deserialize(b'{"name":5,"size":7,"maybe":8,"my key":9}') == {"size": 7, "maybe": 8, "my key": 9}
    assert serde.deserialize(b'{"size":7,"my key":9}') == {"size": 7, "my key": 9}
    with pytest.raises(msgspec.ValidationError, match="size"):
        serde.deserialize(b'{"my key":9}')
    assert access_kind(serde.type) == "item"
    assert serde.type.__name__ == "Row"


def test_projected_typed_dict_with_string_annotations_knows_what_may_be_absent() -> None:
    assert projected(StringlyRow, "maybe").deserialize(b"{}") == {}
    with pytest.raises(msgspec.ValidationError, match="size"):
        projected(StringlyRow, "size").deserialize(b"{}")


def test_projected_message_pack_reads_message_pack() -> None:
    serde = project(MessagePack(Flight), frozenset({"delay_minutes"}))
    assert serde is not None
    assert serde.deserialize(msgspec.msgpack.encode(Flight("JFK", 5))).delay_minutes == 5


def test_projected_error_names_the_whole_type() -> None:
    assert projected(Flight, "origin").type.__name__ == "Flight"
    assert projected(Flight, "origin").name == "Json(Flight) of origin"


class WithPostInit(msgspec.Struct):
    a: int

    def __post_init__(self) -> None:
        pass


class Strict(msgspec.Struct, forbid_unknown_fields=True):
    a: int


class ArrayLike(msgspec.Struct, array_like=True):
    a: int


@dataclasses.dataclass
class DataclassWithPostInit:
    a: int

    def __post_init__(self) -> None:
        pass


class Model(pydantic.BaseModel):
    a: int


@pytest.mark.parametrize(
    ("serde", "field"),
    [
        (Integer(), "a"),
        (Json(), "a"),
        (Json(dict[str, int]), "a"),
        (Json(Flight), "nothing"),
        (Json(Flight), "delayMinutes"),
        (Json(WithPostInit), "a"),
        (Json(Strict), "a"),
        (Json(ArrayLike), "a"),
        (Json(Airport), "derived"),
        (Json(DataclassWithPostInit), "a"),
        (Json(Row), "nothing"),
        (Json(OtherTagged | Tagged), "origin"),
        (serde_for(Model, role="value"), "a"),
        (Serde(serialize=str.encode, deserialize=bytes.decode, type=Flight), "origin"),
    ],
)
def test_project_where_it_would_change_meaning_is_none(serde: Serde, field: str) -> None:
    assert project(serde, frozenset({field})) is None
