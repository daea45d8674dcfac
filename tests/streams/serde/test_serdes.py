"""Serdes: Kafka's formats for single values, JSON for structured ones, what is refused and how."""

from __future__ import annotations

import dataclasses
import enum
import operator
import struct
import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, NewType, TypedDict

import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import App
from streams.errors import SourceLine, TopologyError
from streams.serde import (
    Boolean,
    Bytes,
    Destination,
    Float,
    Integer,
    Json,
    MessagePack,
    Serde,
    String,
    Unknown,
    Uuid,
    describe_type,
    serde_for,
    session_serde,
    windowed_serde,
)
from streams.windowed import Windowed


class Flight(msgspec.Struct):
    ts: int
    origin: str
    delay: int = 0


@dataclasses.dataclass
class Airport:
    iata: str
    state: str | None = None


class Row(TypedDict):
    name: str


class Order(pydantic.BaseModel):
    id: int = pydantic.Field(alias="orderId")
    placed: datetime


class RushOrder(Order):
    minutes: int = 5


class Color(enum.StrEnum):
    RED = "red"


class Opaque:
    pass


class Inner(msgspec.Struct):
    handle: Opaque


class Outer(msgspec.Struct):
    inner: list[Inner]


UserId = NewType("UserId", str)

INT64 = st.integers(-(2**63), 2**63 - 1)


@pytest.mark.parametrize(
    ("kind", "value", "data"),
    [
        (str, "Zürich", "Zürich".encode()),
        (int, 1, b"\0\0\0\0\0\0\0\1"),
        (int, -2, b"\xff\xff\xff\xff\xff\xff\xff\xfe"),
        (float, 1.5, b"\x3f\xf8\0\0\0\0\0\0"),
        (bool, True, b"\1"),
        (bool, False, b"\0"),
        (bytes, b"\0\xff", b"\0\xff"),
        (uuid.UUID, uuid.UUID(int=1), b"00000000-0000-0000-0000-000000000001"),
        (dict, {"a": 1}, b'{"a":1}'),
        (list[int], [1, 2], b"[1,2]"),
        (Flight, Flight(1, "JFK", 2), b'{"ts":1,"origin":"JFK","delay":2}'),
        (Airport, Airport("JFK", "NY"), b'{"iata":"JFK","state":"NY"}'),
        (Row, {"name": "x"}, b'{"name":"x"}'),
        (Any, {"a": [1, 1.0, None]}, b'{"a":[1,1.0,null]}'),
        (object, 5, b"5"),
        (Unknown, "x", b'"x"'),
        (str | None, "x", b"x"),
        (Flight | None, Flight(1, "a", 0), b'{"ts":1,"origin":"a","delay":0}'),
        (UserId, "u", b"u"),
        (Literal["a", "b"], "a", b"a"),
        (Color, Color.RED, b'"red"'),
        (datetime, datetime(2024, 1, 1, tzinfo=UTC), b'"2024-01-01T00:00:00Z"'),
        (int | str, 5, b"5"),
        (Order, Order(orderId=1, placed=datetime(2024, 1, 1)), b'{"orderId":1,"placed":"2024-01-01T00:00:00"}'),
        (
            list[Order],
            [Order(orderId=1, placed=datetime(2024, 1, 1))],
            b'[{"orderId":1,"placed":"2024-01-01T00:00:00"}]',
        ),
    ],
    ids=lambda value: None,
)
@pytest.mark.parametrize("role", ["key", "value"])
def test_serde_for_type_writes_its_format_and_reads_it_back(kind: Any, value: Any, data: bytes, role: Any) -> None:
    serde = serde_for(kind, role=role)
    assert serde.serialize(value) == data
    back = serde.deserialize(data)
    assert back == value
    assert type(back) is type(value)
    assert serde.bound(Destination("topic", role)) is serde


@given(INT64)
def test_integer_of_any_int64_round_trips_in_numeric_byte_order_of_its_sign(number: int) -> None:
    serde = Integer()
    assert serde.serialize(number) == number.to_bytes(8, "big", signed=True)
    assert serde.deserialize(serde.serialize(number)) == number


@given(st.floats(allow_nan=False))
def test_float_of_any_float_round_trips(number: float) -> None:
    assert Float().deserialize(Float().serialize(number)) == number


@given(st.text())
def test_string_of_any_text_round_trips(text: str) -> None:
    assert String().deserialize(String().serialize(text)) == text


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_json_of_any_value_round_trips_with_ints_and_floats_kept_apart(value: Any) -> None:
    serde = Json()
    back = serde.deserialize(serde.serialize(value))
    assert back == value
    assert repr(back) == repr(value)


@pytest.mark.parametrize(
    ("serde", "value"),
    [
        (String(), 5),
        (String(), b"x"),
        (Integer(), "5"),
        (Integer(), 2**63),
        (Integer(), 1.5),
        (Float(), "1.5"),
        (Boolean(), 1),
        (Bytes(), 5),
        (Bytes(), "x"),
        (Uuid(), "x"),
    ],
)
def test_primitive_serialize_of_another_type_raises(serde: Serde, value: Any) -> None:
    with pytest.raises((TypeError, struct.error)):
        serde.serialize(value)


@pytest.mark.parametrize(
    ("serde", "data"),
    [
        (String(), b"\xff"),
        (Integer(), b"12"),
        (Integer(), b""),
        (Float(), b"123456789"),
        (Boolean(), b""),
        (Boolean(), b"\2"),
        (Uuid(), b"no"),
        (Json(Flight), b'{"ts":"1","origin":"a"}'),
        (Json(Flight), b'{"ts":1}'),
        (Json(dict), b"[]"),
        (Json(), b""),
        (MessagePack(int), b"\xa1a"),
    ],
)
def test_deserialize_of_wrong_bytes_raises(serde: Serde, data: bytes) -> None:
    with pytest.raises((ValueError, struct.error)):
        serde.deserialize(data)


def test_json_of_struct_skips_fields_that_are_not_declared() -> None:
    assert Json(Flight).deserialize(b'{"ts":1,"origin":"a","other":[1,{}]}') == Flight(1, "a")


def test_message_pack_of_struct_round_trips() -> None:
    serde = MessagePack(Flight)
    assert serde.deserialize(serde.serialize(Flight(1, "a", 2))) == Flight(1, "a", 2)
    assert serde.serialize(Flight(1, "a", 2)) == msgspec.msgpack.encode(Flight(1, "a", 2))


def test_serde_for_constrained_annotation_checks_what_it_reads() -> None:
    port = serde_for(Annotated[int, msgspec.Meta(ge=1, le=65535)], role="key")
    assert port.deserialize(port.serialize(80)) == 80
    with pytest.raises(msgspec.ValidationError, match=">= 1"):
        port.deserialize(port.serialize(0))
    choice = serde_for(Literal["a", "b"], role="value")
    with pytest.raises(msgspec.ValidationError, match="Invalid enum value"):
        choice.deserialize(b"c")
    name = serde_for(Annotated[str, msgspec.Meta(max_length=2)] | None, role="key")
    with pytest.raises(msgspec.ValidationError, match="length"):
        name.deserialize(b"abc")
    blob = serde_for(Annotated[bytes, msgspec.Meta(max_length=2)], role="key")
    assert blob.deserialize(b"ab") == b"ab"


def test_pydantic_of_subclass_writes_its_own_fields() -> None:
    serde = serde_for(Order, role="value")
    data = serde.serialize(RushOrder(orderId=1, placed=datetime(2024, 1, 1)))
    assert msgspec.json.decode(data)["minutes"] == 5


def test_serde_for_serde_passes_it_through() -> None:
    serde = Serde(serialize=str.encode, deserialize=bytes.decode, type=str, name="mine")
    assert serde_for(serde, role="key") is serde


def test_serdes_are_equal_where_they_write_the_same_bytes() -> None:
    assert serde_for(Flight, role="value") == Json(Flight)
    assert hash(serde_for(Flight, role="value")) == hash(Json(Flight))
    assert Json(Flight) != MessagePack(Flight)
    assert Json(Flight) != Json(Airport)
    assert Json(int) != Integer()
    assert windowed_serde(String(), 5) == windowed_serde(String(), 5)
    assert windowed_serde(String(), 5) != windowed_serde(String(), 6)
    assert windowed_serde(String(), 5) != session_serde(String())
    custom = Serde(serialize=str.encode, deserialize=bytes.decode)
    assert custom == Serde(serialize=str.encode, deserialize=bytes.decode)
    assert custom != Serde(serialize=str.encode, deserialize=bytes.hex)
    assert custom == String()


def test_serdes_that_are_equal_are_not_unequal() -> None:
    """Each operator is asked for by itself: bytes are passed through only where serdes are not unequal."""
    assert not operator.ne(serde_for(str, role="key"), String())
    assert not operator.ne(serde_for(Flight, role="value"), Json(Flight))
    assert operator.ne(serde_for(Flight, role="value"), Json(Airport))
    assert operator.ne(String(), "String")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Opaque, ["Opaque", "key", "no type that JSON can hold", "msgspec.Struct"]),
        (list[Opaque], ["list[Opaque]"]),
        (complex, ["complex"]),
        ("str", ["'str'"]),
        (5, ["5"]),
        (String, ["call it: String()"]),
        (set[object] | None, ["set[object] | None"]),
    ],
)
def test_serde_for_unsupported_type_names_type_place_and_cure(kind: Any, words: list[str]) -> None:
    with pytest.raises(TopologyError) as raised:
        serde_for(kind, role="key", origin=SourceLine("app.py", 7))
    (problem,) = raised.value.problems
    assert problem.origin == SourceLine("app.py", 7)
    assert str(raised.value).startswith("app.py:7: ")
    assert "pass a Serde" in problem.message
    for word in words:
        assert word in problem.message


def test_serde_for_struct_with_unsupported_field_names_the_field() -> None:
    with pytest.raises(TopologyError, match=r"its field 'inner.handle' is a Opaque"):
        serde_for(Outer, role="value")


def test_serde_for_recursive_struct_is_json() -> None:
    serde = serde_for(Tree, role="value")
    assert serde.deserialize(b'{"children":[{"children":[]}]}') == Tree([Tree([])])


class Tree(msgspec.Struct):
    children: list[Tree]


@given(st.text(), st.integers(0, 2**40), st.integers(1, 2**40))
def test_windowed_serde_writes_key_and_start_as_kafka_does(key: str, start: int, size: int) -> None:
    serde = windowed_serde(String(), size)
    data = serde.serialize(Windowed(key, start, start + size))
    assert data == key.encode() + struct.pack(">q", start)
    assert serde.deserialize(data) == Windowed(key, start, start + size)


@given(st.text(), st.integers(0, 2**62), st.integers(0, 2**62 - 1))
def test_session_serde_writes_key_end_and_start_as_kafka_does(key: str, start: int, length: int) -> None:
    serde = session_serde(String())
    data = serde.serialize(Windowed(key, start, start + length))
    assert data == key.encode() + struct.pack(">qq", start + length, start)
    assert serde.deserialize(data) == Windowed(key, start, start + length)


def test_windowed_serde_of_end_beyond_int64_ends_at_the_largest_int64() -> None:
    serde = windowed_serde(Integer(), 2**63 - 1)
    assert serde.deserialize(struct.pack(">qq", 7, 5)) == Windowed(7, 5, 2**63 - 1)
    assert serde.type == Windowed[int]


@pytest.mark.parametrize(("serde", "length"), [(windowed_serde(String(), 1), 7), (session_serde(String()), 15)])
def test_windowed_serde_of_too_few_bytes_raises(serde: Serde, length: int) -> None:
    with pytest.raises(ValueError, match=f"got {length} bytes"):
        serde.deserialize(bytes(length))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Flight, "Flight"),
        (dict[str, list[int]], "dict[str, list[int]]"),
        (str | None, "str | None"),
        (tuple[int, ...], "tuple[int, ...]"),
        (Literal["a", 1], "Literal['a', 1]"),
        (Annotated[int, msgspec.Meta(ge=1)], "int"),
        (Any, "Any"),
        (Unknown, "unknown"),
        (None, "None"),
        (Windowed[str], "Windowed[str]"),
        (Decimal, "Decimal"),
        (UserId, "UserId"),
    ],
)
def test_describe_type_of_annotation_reads_as_written(kind: Any, text: str) -> None:
    assert describe_type(kind) == text


def test_unknown_survives_copy_and_pickle_as_itself() -> None:
    import copy
    import pickle

    assert copy.deepcopy(Unknown) is Unknown
    assert pickle.loads(pickle.dumps(Unknown)) is Unknown


@pytest.mark.parametrize(
    ("serde", "value", "data"),
    [
        (Integer(bits=16), -2, "fffe"),
        (Integer(bits=32), 258, "00000102"),
        (Integer(bits=64), 258, "0000000000000102"),
        (Float(bits=32), 1.5, "3fc00000"),
        (Float(bits=64), 1.5, "3ff8000000000000"),
    ],
)
def test_numbers_of_each_width_are_written_as_kafkas_own(serde: Serde, value: float, data: str) -> None:
    assert serde.serialize(value).hex() == data
    assert serde.deserialize(bytes.fromhex(data)) == value


def test_numbers_of_other_widths_are_other_serdes_and_say_so() -> None:
    assert Integer(bits=64) == Integer() != Integer(bits=32)
    assert [Integer().name, Integer(bits=32).name, Float(bits=32).name] == ["Integer", "Integer(32)", "Float(32)"]
    with pytest.raises(struct.error):
        Integer(bits=16).serialize(40_000)
    with pytest.raises(ValueError, match="bits of Float must be one of 32, 64, got 16"):
        Float(bits=16)  # pyright: ignore[reportArgumentType]


def test_keys_of_unlike_widths_are_told_before_a_join_misses() -> None:
    app = App("app")
    rows = app.table("rows", key=Integer(bits=32), value=str)
    app.stream("in", key=int, value=str).join(rows, lambda left, right: left)
    with pytest.raises(TopologyError, match=r"stream's are written as Integer and the table's as Integer\(32\)"):
        app.plan()
