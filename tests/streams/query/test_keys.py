"""Keys in URLs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import pytest

from streams.errors import QueryError
from streams.query.keys import jsonable, parse_key
from streams.serde import Boolean, Bytes, Float, Integer, Json, String, Uuid


class Place(msgspec.Struct):
    city: str
    floor: int


@pytest.mark.parametrize(
    ("text", "serde", "key"),
    [
        ("CA", String(), "CA"),
        ("17", String(), "17"),
        ("17", Integer(), 17),
        ("-1", Integer(), -1),
        ("2.5", Float(), 2.5),
        ("true", Boolean(), True),
        ("AAE", Bytes(), b"\x00\x01"),
        ("123e4567-e89b-12d3-a456-426614174000", Uuid(), UUID("123e4567-e89b-12d3-a456-426614174000")),
        ('{"city": "Rome", "floor": 3}', Json(Place), Place("Rome", 3)),
        ("[1, 2]", Json(list), [1, 2]),
    ],
)
def test_key_text_becomes_the_keys_bytes(text: str, serde: Any, key: Any) -> None:
    assert parse_key(text, serde) == serde.serialize(key)


@pytest.mark.parametrize(("text", "serde"), [("x", Integer()), ("yes", Boolean()), ("x", Float()), ("x", Uuid())])
def test_key_text_of_another_kind_is_refused(text: str, serde: Any) -> None:
    with pytest.raises(QueryError, match=text):
        parse_key(text, serde)


def test_values_become_json() -> None:
    assert jsonable(Place("Rome", 3)) == {"city": "Rome", "floor": 3}
    assert jsonable({1: b"\x00"}) == {"1": "AA=="}
    assert jsonable(object()).startswith("<object")
