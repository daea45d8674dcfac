"""Serdes of single values, in the formats of Kafka's own serializers, so that Java programs read them.

    String()   UTF-8                                           StringSerializer
    Integer()  8 bytes, big-endian, two's complement           LongSerializer
    Float()    8 bytes, big-endian, IEEE 754                   DoubleSerializer
    Integer(bits=32), Integer(bits=16), Float(bits=32)         IntegerSerializer, ShortSerializer, FloatSerializer
    Boolean()  1 byte, 0 or 1                                  BooleanSerializer
    Bytes()    as they are                                     ByteArraySerializer
    Uuid()     36 characters of UTF-8                          UUIDSerializer

`int` as a value is written like `int` as a key: eight bytes, not JSON digits. Where digits are wanted, say `Json(int)`.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any, Literal
from uuid import UUID

from streams.serde.serde import Serde

INTEGERS = {16: ("short", ">h"), 32: ("integer", ">i"), 64: ("long", ">q")}
FLOATS = {32: ("float", ">f"), 64: ("double", ">d")}
"""By bits: the name of the format, and its layout for `struct`."""


def String() -> Serde:
    """`str` as UTF-8."""
    return Serde(serialize=str.encode, deserialize=bytes.decode, type=str, name="String", form="string")


def Integer(*, bits: Literal[16, 32, 64] = 64) -> Serde:
    """`int` as Kafka's long, of 64 bits: 8 bytes, big-endian. With 32 or 16 bits as its integer or short: 4 or 2 bytes,
    for topics of Java programs that write those. Larger ints and other lengths raise `struct.error`."""
    return _number(bits, INTEGERS, int, "Integer")


def Float(*, bits: Literal[32, 64] = 64) -> Serde:
    """`float` as Kafka's double: 8 bytes, big-endian; with 32 bits as its float, which rounds to 4 bytes. An `int` is
    written as the float it equals; one that is too large for 32 bits raises OverflowError."""
    return _number(bits, FLOATS, float, "Float")


def _number(bits: int, forms: Mapping[int, tuple[str, str]], kind: type, name: str) -> Serde:
    if bits not in forms:
        raise ValueError(f"bits of {name} must be one of {', '.join(map(str, forms))}, got {bits!r}")
    form, layout = forms[bits]
    packing = struct.Struct(layout)
    unpack = packing.unpack

    def deserialize(data: bytes) -> Any:
        (number,) = unpack(data)
        return number

    name = name if bits == 64 else f"{name}({bits})"
    return Serde(serialize=packing.pack, deserialize=deserialize, type=kind, name=name, form=form)


def Boolean() -> Serde:
    """`bool` as one byte, 0 or 1; any other byte, or number of bytes, is a ValueError."""

    def serialize(value: Any) -> bytes:
        if value is True:
            return b"\x01"
        if value is False:
            return b"\x00"
        raise TypeError(f"expected a bool, got {value!r}")

    def deserialize(data: bytes) -> bool:
        if data == b"\x01":
            return True
        if data == b"\x00":
            return False
        raise ValueError(f"a bool is one byte, 0 or 1; got {data!r}")

    return Serde(serialize=serialize, deserialize=deserialize, type=bool, name="Boolean", form="boolean")


def Bytes() -> Serde:
    """`bytes` as they are. Only `bytes` are written: `bytes(5)` would silently make five zeros of a number."""

    def serialize(value: Any) -> bytes:
        if isinstance(value, bytes):
            return value
        raise TypeError(f"expected bytes, got {type(value).__name__}")

    def deserialize(data: bytes) -> bytes:
        return data

    return Serde(serialize=serialize, deserialize=deserialize, type=bytes, name="Bytes", form="bytes")


def Uuid() -> Serde:
    """`uuid.UUID` as its 36 characters."""

    def serialize(value: Any) -> bytes:
        if isinstance(value, UUID):
            return str(value).encode()
        raise TypeError(f"expected a UUID, got {type(value).__name__}")

    def deserialize(data: bytes) -> UUID:
        return UUID(data.decode())

    return Serde(serialize=serialize, deserialize=deserialize, type=UUID, name="Uuid", form="uuid")
