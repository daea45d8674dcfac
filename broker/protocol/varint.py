"""Variable-length integers of the Kafka protocol: unsigned (compact lengths, tags) and zigzag (inside records)."""

from __future__ import annotations

from collections.abc import Sequence


def read_uvarint(buffer: Sequence[int], position: int) -> tuple[int, int]:
    """Returns (value, position behind it). Raises IndexError at the end of the buffer, ValueError beyond 5 bytes."""
    byte = buffer[position]
    if byte < 0x80:
        return byte, position + 1
    value = byte & 0x7F
    shift = 7
    while shift <= 28:
        position += 1
        byte = buffer[position]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position + 1
        shift += 7
    raise ValueError("unsigned varint longer than 5 bytes")


def read_varlong(buffer: Sequence[int], position: int) -> tuple[int, int]:
    """Zigzag integer of up to 64 bits; returns (value, position behind it)."""
    value = 0
    shift = 0
    while shift <= 63:
        byte = buffer[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), position
        shift += 7
    raise ValueError("varint longer than 10 bytes")


def write_uvarint(value: int) -> bytes:
    """Encodes a value >= 0."""
    if value < 0x80:
        return bytes((value,))
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def write_varlong(value: int) -> bytes:
    """Encodes a signed value of up to 64 bits in zigzag form."""
    return write_uvarint((value << 1) ^ (value >> 63))


def skip_tags(buffer: Sequence[int], position: int) -> int:
    """Position behind a tag buffer whose fields are not of interest."""
    count, position = read_uvarint(buffer, position)
    for _ in range(count):
        _, position = read_uvarint(buffer, position)
        size, position = read_uvarint(buffer, position)
        position += size
    return position
