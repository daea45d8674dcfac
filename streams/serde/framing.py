"""Confluent's wire format: which schema of the registry a payload was written with.

    offset  width  field
    0       1      0, the magic byte
    1       4      id of the schema, big-endian
    5       ...    Protobuf only: where the message's type is in its file, as zigzag varints: how many numbers follow,
                   then the index at each level of nesting; one 0 stands for the first type of the file
    ...     ...    payload

Where the id is written to a header instead (`HeaderSchemaIdSerializer`), payloads come without a frame; those
are not read: a serde does not see headers.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

MAGIC = 0
HEAD = struct.Struct(">bI")
PAYLOAD_AT = HEAD.size


class FrameError(ValueError):
    """Bytes do not begin as the wire format says."""


def head(schema_id: int) -> bytes:
    """What a record written with that schema begins with."""
    return HEAD.pack(MAGIC, schema_id)


def schema_id_of(data: bytes) -> int:
    """The id that the bytes begin with. Raises FrameError."""
    if len(data) < PAYLOAD_AT or data[0] != MAGIC:
        begins = data[:PAYLOAD_AT].hex(" ") or "nothing"
        raise FrameError(
            f"{len(data)} bytes that begin with {begins} are not in a schema registry's format, which begins with 00 "
            "and the 4 bytes of a schema id: were they written without a registry, or with the id in a header?"
        )
    return HEAD.unpack_from(data)[1]


def message_indexes(path: Sequence[int]) -> bytes:
    """The indexes that lead to a message type, as they stand behind the id."""
    if list(path) == [0]:
        return b"\x00"
    return b"".join(map(_varint, (len(path), *path)))


def read_message_indexes(data: bytes) -> tuple[tuple[int, ...], int]:
    """The indexes behind the id, and where the payload begins. Raises FrameError."""
    count, position = _read_varint(data, PAYLOAD_AT)
    if count == 0:
        return (0,), position
    if not 0 < count <= 100:
        raise FrameError(f"a message type cannot be nested {count} deep: the bytes behind the schema id are no indexes")
    path: list[int] = []
    for _ in range(count):
        index, position = _read_varint(data, position)
        path.append(index)
    return tuple(path), position


def _varint(number: int) -> bytes:
    zigzag = number << 1
    written = bytearray()
    while zigzag > 0x7F:
        written.append(zigzag & 0x7F | 0x80)
        zigzag >>= 7
    written.append(zigzag)
    return bytes(written)


def _read_varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if position >= len(data):
            raise FrameError("the bytes end within the indexes of a Protobuf message type")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value >> 1 ^ -(value & 1), position
        shift += 7
