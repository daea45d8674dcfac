"""Serdes of single values, in the formats of Kafka's own serializers, so that Java programs read them.

    String()   UTF-8                                           StringSerializer
    Integer()  8 bytes, big-endian, two's complement           LongSerializer
    Float()    8 bytes, big-endian, IEEE 754                   DoubleSerializer
    Boolean()  1 byte, 0 or 1                                  BooleanSerializer
    Bytes()    as they are                                     ByteArraySerializer
    Uuid()     36 characters of UTF-8                          UUIDSerializer

`int` as a value is written like `int` as a key: eight bytes, not JSON digits. Where digits are wanted, say `Json(int)`.
"""

from __future__ import annotations

import struct
from typing import Any
from uuid import UUID

from streams.serde.serde import Serde

LONG = struct.Struct(">q")
DOUBLE = struct.Struct(">d")


def String() -> Serde:
    """`str` as UTF-8."""
    return Serde(serialize=str.encode, deserialize=bytes.decode, type=str, name="String", form="string")


def Integer() -> Serde:
    """`int` of 64 bits as Kafka's long: 8 bytes, big-endian. Larger ints and other lengths raise `struct.error`."""
    unpack = LONG.unpack

    def deserialize(data: bytes) -> int:
        (number,) = unpack(data)
        return number

    return Serde(serialize=LONG.pack, deserialize=deserialize, type=int, name="Integer", form="long")


def Float() -> Serde:
    """`float` as Kafka's double: 8 bytes, big-endian. An `int` is written as the float it equals."""
    unpack = DOUBLE.unpack

    def deserialize(data: bytes) -> float:
        (number,) = unpack(data)
        return number

    return Serde(serialize=DOUBLE.pack, deserialize=deserialize, type=float, name="Float", form="double")


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
