"""Compiled .proto files (`google.protobuf.FileDescriptorProto`), read field by field.

The descriptor's own layout is part of Protobuf's promise, so a few lines do without the library.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from broker.registry.protobuf import ProtoField, ProtoFile

SCALARS = {
    1: "double", 2: "float", 3: "int64", 4: "uint64", 5: "int32", 6: "fixed64", 7: "fixed32", 8: "bool", 9: "string",
    12: "bytes", 13: "uint32", 14: "enum", 15: "sfixed32", 16: "sfixed64", 17: "sint32", 18: "sint64",
}  # fmt: skip
LABELS = {1: "optional", 2: "required", 3: "repeated"}


def parse_descriptor(data: bytes) -> ProtoFile:
    """The file that a descriptor describes. Raises ValueError."""
    from broker.registry.protobuf import ProtoFile

    package, messages = "", list[bytes]()
    named = False
    for number, value in _fields(data):
        if number == 1 and isinstance(value, bytes):
            named = True
        elif number == 2 and isinstance(value, bytes):
            package = value.decode()
        elif number == 4 and isinstance(value, bytes):
            messages.append(value)
    if not named and not messages:
        raise ValueError("the base64 text is no file descriptor")
    file = ProtoFile(package)
    for message in messages:
        _message(file, message, "")
    return file


def _message(file: ProtoFile, data: bytes, outside: str) -> None:
    name, fields, nested, oneofs = "", list[bytes](), list[bytes](), list[str]()
    for number, value in _fields(data):
        if not isinstance(value, bytes):
            continue
        if number == 1:
            name = value.decode()
        elif number == 2:
            fields.append(value)
        elif number == 3:
            nested.append(value)
        elif number == 8:
            oneofs.append(
                next((each.decode() for at, each in _fields(value) if at == 1 and isinstance(each, bytes)), "")
            )
    name = f"{outside}.{name}" if outside else name
    file.messages[name] = dict(_field(each, oneofs) for each in fields)
    for each in nested:
        _message(file, each, name)


def _field(data: bytes, oneofs: list[str]) -> tuple[int, ProtoField]:
    from broker.registry.protobuf import ProtoField

    texts: dict[int, str] = {}
    numbers: dict[int, int] = {}
    for number, value in _fields(data):
        if isinstance(value, bytes):
            texts[number] = value.decode(errors="replace")
        else:
            numbers[number] = value
    kind = SCALARS.get(numbers.get(5, 0), "") or texts.get(6, "")
    group = oneofs[numbers[9]] if 9 in numbers and not numbers.get(17) else ""
    return numbers[3], ProtoField(texts.get(1, ""), kind, LABELS.get(numbers.get(4, 1), "optional"), group)


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each field, in the order of the bytes. Raises ValueError."""
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        kind = tag & 7
        if kind == 0:
            value, position = _varint(data, position)
            yield tag >> 3, value
        elif kind == 2:
            length, position = _varint(data, position)
            if position + length > len(data):
                raise ValueError("the base64 text is no file descriptor: it ends too early")
            yield tag >> 3, data[position : position + length]
            position += length
        elif kind in (1, 5):
            position += 8 if kind == 1 else 4
        else:
            raise ValueError("the base64 text is no file descriptor")


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(data):
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, position
        shift += 7
    raise ValueError("the base64 text is no file descriptor: it ends too early")
