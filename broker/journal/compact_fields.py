"""Fields of records with a flexible encoding: lengths are unsigned varints of one more (0: null), tags follow.

Otherwise as `broker.journal.fields`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar
from uuid import UUID

from broker.journal.errors import JournalRecordError
from broker.journal.fields import FieldReader, FieldWriter
from broker.protocol.varint import read_uvarint, write_uvarint

T = TypeVar("T")


class CompactReader(FieldReader):
    """Raises `JournalRecordError` where the bytes end early."""

    __slots__ = ()

    def uvarint(self) -> int:
        try:
            value, self.position = read_uvarint(self.data, self.position)
        except (IndexError, ValueError) as error:
            raise JournalRecordError(f"no varint at byte {self.position} of {len(self.data)}") from error
        return value

    def int8(self) -> int:
        return int.from_bytes(self.take(1), "big", signed=True)

    def uuid(self) -> UUID:
        return UUID(bytes=self.take(16))

    def compact_nullable_string(self) -> str | None:
        length = self.uvarint()
        return None if length == 0 else self.take(length - 1).decode()

    def compact_string(self) -> str:
        return self.compact_nullable_string() or ""

    def compact_blob(self) -> bytes:
        return self.take(max(self.uvarint() - 1, 0))

    def compact_array(self, item: Callable[[], T]) -> list[T]:
        return [item() for _ in range(max(self.uvarint() - 1, 0))]

    def tags(self) -> dict[int, bytes]:
        """Tag → its bytes."""
        return {self.uvarint(): self.take(self.uvarint()) for _ in range(self.uvarint())}


class CompactWriter(FieldWriter):
    """Appends fields; `bytes()` is the record."""

    __slots__ = ()

    def uvarint(self, value: int) -> CompactWriter:
        self.parts.append(write_uvarint(value))
        return self

    def int8(self, value: int) -> CompactWriter:
        self.parts.append(value.to_bytes(1, "big", signed=True))
        return self

    def uuid(self, value: UUID) -> CompactWriter:
        self.parts.append(value.bytes)
        return self

    def compact_string(self, value: str | None) -> CompactWriter:
        return self.uvarint(0) if value is None else self.compact_blob(value.encode())

    def compact_blob(self, value: bytes) -> CompactWriter:
        self.uvarint(len(value) + 1).parts.append(value)
        return self

    def compact_array(self, items: Iterable[T], write: Callable[[T], object]) -> CompactWriter:
        lines = list(items)
        self.uvarint(len(lines) + 1)
        for line in lines:
            write(line)
        return self

    def tags(self, fields: dict[int, bytes] | None = None) -> CompactWriter:
        self.uvarint(len(fields or {}))
        for tag, content in sorted((fields or {}).items()):
            self.uvarint(tag).uvarint(len(content)).parts.append(content)
        return self
