"""The outline of a request: walked over before the codec reads it, so that no count or length claims what is not there.

The codec makes room for as many items as an array's count announces before it looks for the first one: ten bytes could
ask for 32 GiB, and end the process. A shape knows where counts and lengths stand in one API's request of one version
and checks each of them against the bytes that are left. Nothing is built.

It also finds the tagged fields that the schema does not know, which the codec cannot read and a broker has to pass over
(KIP-482): `check` lists the edits that leave them out.

Source: the schemas in `clients/src/main/resources/common/message` of Apache Kafka, as `kio` has them.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from enum import IntEnum
from functools import cache
from struct import Struct
from types import UnionType
from typing import Any, Final, NamedTuple, TypeAlias, cast, get_args, get_origin

from broker.protocol.batches import Buffer
from broker.protocol.varint import read_uvarint, write_uvarint

SIZES: Final = {
    "bool": 1, "int8": 1, "int16": 2, "uint16": 2, "error_code": 2, "int32": 4, "uint32": 4, "timedelta_i32": 4,
    "int64": 8, "timedelta_i64": 8, "datetime_i64": 8, "float64": 8, "uuid": 16,
}  # fmt: skip
"""Bytes of the types of fixed size; all others begin with a length."""

MOST_EDITS = 1_000
"""Of one request: two bytes make an unknown field, and each takes memory here."""

Edit: TypeAlias = tuple[int, int, bytes]
"""Start, end, and what stands there instead."""

int16 = Struct(">h")
int32 = Struct(">i")


class Kind(IntEnum):
    """What stands at a place of a message."""

    FIXED = 0
    """That many bytes."""
    STRING = 1
    BYTES = 2
    ARRAY = 3
    """Items of a fixed size."""
    STRING_ARRAY = 4
    BYTES_ARRAY = 5
    STRUCT_ARRAY = 6
    STRUCT = 7
    NULLABLE_STRUCT = 8


FIXED, STRING, BYTES, ARRAY, STRING_ARRAY, BYTES_ARRAY, STRUCT_ARRAY, STRUCT, NULLABLE_STRUCT = Kind


class Place(NamedTuple):
    """A field, or several of fixed size in a row."""

    kind: Kind
    detail: Any
    """Size in bytes, shape, or the least size of an item."""
    nullable: bool = False


class Shape:
    """The places of one structure in wire order; made once for each, immutable."""

    __slots__ = ("flexible", "least", "places", "tagged")

    def __init__(self, entity: type) -> None:
        self.flexible: bool = cast(Any, entity).__flexible__
        self.tagged: dict[int, Place] = {}
        places: list[Place] = []
        for field in fields(entity):
            place = place_of(field.type, field.metadata.get("kafka_type"))
            tag = field.metadata.get("tag")
            if tag is not None:
                self.tagged[tag] = place
            elif place.kind is FIXED and places and places[-1].kind is FIXED:
                places[-1] = Place(FIXED, places[-1].detail + place.detail)
            else:
                places.append(place)
        self.places = tuple(places)
        self.least = sum(least_size(place, flexible=self.flexible) for place in places) + self.flexible
        """Bytes that the structure takes at least."""

    def check(self, buffer: Buffer, position: int, edits: list[Edit]) -> int:
        """Returns the position behind the structure; what leaves unknown fields out joins `edits`, in no order. Raises
        ValueError, IndexError or struct.error where it runs over the end of the buffer."""
        for place in self.places:
            position = self.check_place(place, buffer, position, edits)
        if self.flexible:
            if not buffer[position]:  # no tagged fields, as nearly always
                position += 1
            else:
                position = self.check_tagged(buffer, position, edits)
        if position > len(buffer):
            raise ValueError(f"the request ends {position - len(buffer)} bytes before its fields do")
        return position

    def check_tagged(self, buffer: Buffer, start: int, edits: list[Edit]) -> int:
        count, position = read_uvarint(buffer, start)
        behind_count, known_count = position, 0
        for _ in range(count):
            begin = position
            tag, size_at = read_uvarint(buffer, position)
            size, position = read_uvarint(buffer, size_at)
            known = self.tagged.get(tag)
            if known is None:
                edits.append((begin, position + size, b""))
            else:
                known_count += 1
                before = len(edits)
                self.check_place(known, buffer, position, edits)
                if len(edits) > before:
                    size_left = size + sum(len(text) - (end - at) for at, end, text in edits[before:])
                    edits.append((size_at, position, write_uvarint(size_left)))
            if len(edits) > MOST_EDITS:
                raise ValueError(f"more than {MOST_EDITS} fields are unknown")
            position += size
        if known_count != count:
            edits.append((start, behind_count, write_uvarint(known_count)))
        return position

    def check_place(self, place: Place, buffer: Buffer, position: int, edits: list[Edit]) -> int:
        kind, detail, nullable = place
        if kind is FIXED:
            return position + detail
        if kind >= STRUCT:
            if kind is NULLABLE_STRUCT:
                position += 1
                if buffer[position - 1] >= 0x80:  # an int8 below zero: null
                    return position
            return detail.check(buffer, position, edits)
        if self.flexible:
            length, position = read_uvarint(buffer, position)
            length -= 1
        elif kind is STRING:
            length = int16.unpack_from(buffer, position)[0]
            position += 2
        else:
            length = int32.unpack_from(buffer, position)[0]
            position += 4
        if length <= 0:
            if length < 0 and not nullable and kind >= ARRAY:
                raise ValueError("an array that must not be null is null")  # the codec would take it
            return position
        if kind <= BYTES:
            return position + length
        least = detail.least if kind is STRUCT_ARRAY else detail
        if length * least > len(buffer) - position:
            raise ValueError(f"an array of {length} items where {len(buffer) - position} bytes are left")
        if kind is ARRAY:
            return position + length * detail
        if kind is STRUCT_ARRAY:
            check = detail.check
            for _ in range(length):
                position = check(buffer, position, edits)
            return position
        item = Place(STRING if kind is STRING_ARRAY else BYTES, None)
        for _ in range(length):
            position = self.check_place(item, buffer, position, edits)
        return position


def edited(buffer: Buffer, position: int, edits: list[Edit]) -> bytes:
    """What stands from a position on, with edits made."""
    parts: list[Buffer] = []
    for start, end, text in sorted(edits):
        parts += (buffer[position:start], text)
        position = end
    return b"".join((*parts, buffer[position:]))


def place_of(annotation: Any, kafka_type: str | None) -> Place:
    """Where and how a field stands."""
    inner, nullable = annotation, isinstance(annotation, UnionType)
    if nullable:
        inner = next(option for option in get_args(annotation) if option is not type(None))
    container: Any = get_origin(inner)
    if container is tuple:
        item = get_args(inner)[0]
        if is_dataclass(item):
            return Place(STRUCT_ARRAY, shape_of(cast(type, item)), nullable)
        assert kafka_type is not None
        if kafka_type in SIZES:
            return Place(ARRAY, SIZES[kafka_type], nullable)
        return Place(STRING_ARRAY if kafka_type == "string" else BYTES_ARRAY, 1, nullable)
    if is_dataclass(inner):
        return Place(NULLABLE_STRUCT if nullable else STRUCT, shape_of(cast(type, inner)))
    assert kafka_type is not None
    if kafka_type in SIZES:
        return Place(FIXED, SIZES[kafka_type])
    return Place(STRING if kafka_type == "string" else BYTES, None)


def least_size(place: Place, *, flexible: bool) -> int:
    kind, detail, _ = place
    if kind is FIXED:
        return detail
    if kind is STRUCT:
        return detail.least
    if kind is NULLABLE_STRUCT or flexible:
        return 1
    return 2 if kind is STRING else 4


@cache
def shape_of(entity: type) -> Shape:
    """The shape of an entity class of kio. Raises KeyError for a field whose type is unknown: a programming error."""
    return Shape(entity)
