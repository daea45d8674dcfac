"""Primitive fields of the records in internal topics, big-endian, non-flexible encoding.

Strings are an int16 length and UTF-8 (-1: null); byte strings an int32 length (-1: null).
"""

from __future__ import annotations

import struct

from broker.journal.errors import JournalRecordError

INT16 = struct.Struct(">h")
INT32 = struct.Struct(">i")
INT64 = struct.Struct(">q")


class FieldReader:
    """Reads fields one after the other; raises `JournalRecordError` where the bytes end early."""

    __slots__ = ("data", "position")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    def number(self, form: struct.Struct) -> int:
        try:
            (value,) = form.unpack_from(self.data, self.position)
        except struct.error as error:
            raise JournalRecordError(f"field at byte {self.position} runs over the end of {len(self.data)}") from error
        self.position += form.size
        return value

    def int16(self) -> int:
        return self.number(INT16)

    def int32(self) -> int:
        return self.number(INT32)

    def int64(self) -> int:
        return self.number(INT64)

    def take(self, length: int) -> bytes:
        chunk = self.data[self.position : self.position + length]
        if len(chunk) != length:
            raise JournalRecordError(f"{length} bytes wanted at byte {self.position}, the record has {len(self.data)}")
        self.position += length
        return chunk

    def nullable_string(self) -> str | None:
        length = self.int16()
        return None if length < 0 else self.take(length).decode()

    def string(self) -> str:
        return self.nullable_string() or ""

    def blob(self) -> bytes:
        length = self.int32()
        return b"" if length < 0 else self.take(length)


class FieldWriter:
    """Appends fields; `bytes()` is the record."""

    __slots__ = ("parts",)

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def int16(self, value: int) -> FieldWriter:
        self.parts.append(INT16.pack(value))
        return self

    def int32(self, value: int) -> FieldWriter:
        self.parts.append(INT32.pack(value))
        return self

    def int64(self, value: int) -> FieldWriter:
        self.parts.append(INT64.pack(value))
        return self

    def string(self, value: str | None) -> FieldWriter:
        if value is None:
            return self.int16(-1)
        encoded = value.encode()
        self.parts += (INT16.pack(len(encoded)), encoded)
        return self

    def blob(self, value: bytes) -> FieldWriter:
        self.parts += (INT32.pack(len(value)), value)
        return self

    def bytes(self) -> bytes:
        return b"".join(self.parts)
