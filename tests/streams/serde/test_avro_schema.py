"""Avro and JSON schemas of Python types: what each part becomes, and what has none."""

from __future__ import annotations

import enum
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, TypedDict

import fastavro
import jsonschema
import msgspec
import pytest

from streams.serde import Digits, SchemaTypeError, avro_schema, json_schema
from tests.streams.serde.registry_types import Colour, Line, Order, Place, Small


class Row(TypedDict):
    name: str


class Odd(enum.Enum):
    SPACED = "not a name"


class Holder(msgspec.Struct):
    inner: dict[str, list[Any]]


class Deep(msgspec.Struct):
    holders: list[Holder]


class Listed(msgspec.Struct, array_like=True):
    a: int


class WithInt(msgspec.Struct):
    by_number: dict[int, str]


class WithDelta(msgspec.Struct):
    wait: timedelta


class WithDecimal(msgspec.Struct):
    cents: Decimal


class Defaults(msgspec.Struct):
    text: str = "x"
    number: int | None = 5
    nothing: int | None = None
    real: float = 1
    choice: Colour = Colour.RED
    several: list[int] = msgspec.field(default_factory=list)


@pytest.mark.parametrize(
    ("kind", "schema"),
    [
        (bool, "boolean"),
        (int, "long"),
        (float, "double"),
        (str, "string"),
        (bytes, "bytes"),
        (datetime, {"type": "long", "logicalType": "timestamp-micros"}),
        (int | None, ["null", "long"]),
        (str | int, ["string", "long"]),
        (list[int], {"type": "array", "items": "long"}),
        (tuple[int, ...], {"type": "array", "items": "long"}),
        (dict[str, bool], {"type": "map", "values": "boolean"}),
        (Annotated[Decimal, Digits(5, 2)], {"type": "bytes", "logicalType": "decimal", "precision": 5, "scale": 2}),
        (Colour, {"type": "enum", "name": "Colour", "symbols": ["red", "blue"]}),
        (Odd, "string"),
        (Literal[1, 2], "long"),
        (Row, {"type": "record", "name": "Row", "fields": [{"name": "name", "type": "string"}]}),
        (
            Place,
            {
                "type": "record",
                "name": "Place",
                "fields": [
                    {"name": "city", "type": "string"},
                    {"name": "zip_code", "type": ["null", "string"], "default": None},
                ],
            },
        ),
    ],
    ids=str,
)
def test_type_has_its_avro_schema(kind: Any, schema: Any) -> None:
    assert avro_schema(kind) == schema


def test_defaults_are_those_of_the_first_branch() -> None:
    fields: Any = avro_schema(Defaults)
    assert [(field["type"], field.get("default", "none")) for field in fields["fields"]] == [
        ("string", "x"),
        (["long", "null"], 5),
        (["null", "long"], None),
        ("double", 1),
        ({"type": "enum", "name": "Colour", "symbols": ["red", "blue"]}, "red"),
        ({"type": "array", "items": "long"}, []),
    ]


@pytest.mark.parametrize("kind", [Order, Line, Place, Small, Defaults])
def test_schemas_made_are_schemas_to_others(kind: Any) -> None:
    fastavro.parse_schema(avro_schema(kind, namespace="shop"))
    jsonschema.Draft202012Validator.check_schema(json_schema(kind))


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (Deep, r"'holders\[\]\.inner\{\}\[\]'"),
        (WithInt, "'by_number' .* keys of an Avro map are strings"),
        (WithDelta, "'wait' is a timedelta"),
        (WithDecimal, r"'cents' is a Decimal.*Digits\(precision=18, scale=2\)"),
        (list[Listed], r"'\[\]' is a Listed.*array_like"),
        (Literal["a", 1], "all strings or all ints"),
        (dict[str, int] | dict[str, str], "one map at most"),
    ],
)
def test_type_without_mapping_is_named_by_its_path(kind: Any, path: str) -> None:
    with pytest.raises(SchemaTypeError, match=path):
        avro_schema(kind)


def test_json_schema_is_the_types_own_and_closed_at_every_level() -> None:
    schema = json_schema(Order)
    assert schema["title"] == "Order"
    assert schema["additionalProperties"] is False
    assert all(each["additionalProperties"] is False for each in schema["$defs"].values() if "properties" in each)


def test_json_schema_of_a_type_json_cannot_hold_is_refused() -> None:
    class Alien:
        pass

    with pytest.raises(SchemaTypeError, match="Alien"):
        json_schema(msgspec.defstruct("S", [("a", Alien)]))
