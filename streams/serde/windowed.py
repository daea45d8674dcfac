"""Serdes of windowed keys, in Kafka Streams' formats for topics outside.

    time windows   | inner key ... | start: int64 |                    TimeWindowedSerializer
    sessions       | inner key ... | end: int64 | start: int64 |       SessionWindowedSerializer

Both big-endian ms. The size of a time window is not in the bytes: who reads has to know it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, cast

from streams.serde.reflection import plain_type
from streams.serde.serde import Serde
from streams.serde.unknown import Unknown
from streams.windowed import Windowed

START = struct.Struct(">q")
END_AND_START = struct.Struct(">qq")
FOREVER = 2**63 - 1


def windowed_serde(inner: Serde, size_ms: int) -> Serde:
    """Keys `Windowed(key, start, start + size_ms)`; `inner` writes the key. An end beyond int64 is 2**63 - 1."""

    def end_of(start: int) -> int:
        return min(start + size_ms, FOREVER)

    return windowed_serde_ending(inner, end_of, str(size_ms))


def windowed_serde_ending(inner: Serde, end_of: Callable[[int], int], form: str) -> Serde:
    """The same for windows that `end_of(start)` knows the end of; `form` is one text for windows that agree in that."""
    serialize_key, deserialize_key = inner.serialize, inner.deserialize
    pack, unpack_from = START.pack, START.unpack_from

    def serialize(windowed: Windowed[Any]) -> bytes:
        return serialize_key(windowed.key) + pack(windowed.start)

    def deserialize(data: bytes) -> Windowed[Any]:
        if len(data) < 8:
            raise ValueError(f"a windowed key ends with the 8 bytes of its start; got {len(data)} bytes")
        (start,) = unpack_from(data, len(data) - 8)
        return Windowed(deserialize_key(data[:-8]), start, end_of(start))

    return Serde(
        serialize=serialize,
        deserialize=deserialize,
        type=_windowed_type(inner),
        name=f"Windowed({inner.name})",
        form=None if inner.form is None else f"windowed {form} {inner.form}",
        schema=inner.schema,
        bind=None
        if inner.bind is None
        else lambda destination: windowed_serde_ending(inner.bound(destination), end_of, form),
        window_bytes=START.size,
    )


def session_serde(inner: Serde) -> Serde:
    """Keys `Windowed(key, start, end)` of sessions, both ends inclusive; `inner` writes the key."""
    serialize_key, deserialize_key = inner.serialize, inner.deserialize
    pack, unpack_from = END_AND_START.pack, END_AND_START.unpack_from

    def serialize(windowed: Windowed[Any]) -> bytes:
        return serialize_key(windowed.key) + pack(windowed.end, windowed.start)

    def deserialize(data: bytes) -> Windowed[Any]:
        if len(data) < 16:
            raise ValueError(f"a session key ends with 8 bytes each of end and start; got {len(data)} bytes")
        end, start = unpack_from(data, len(data) - 16)
        return Windowed(deserialize_key(data[:-16]), start, end)

    return Serde(
        serialize=serialize,
        deserialize=deserialize,
        type=_windowed_type(inner),
        name=f"Session({inner.name})",
        form=None if inner.form is None else f"session {inner.form}",
        schema=inner.schema,
        bind=None if inner.bind is None else lambda destination: session_serde(inner.bound(destination)),
        window_bytes=END_AND_START.size,
    )


def _windowed_type(inner: Serde) -> Any:
    return Windowed[Any] if plain_type(inner.type) is Unknown else cast(Any, Windowed)[inner.type]
