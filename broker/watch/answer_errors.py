"""Which error codes an answer holds, read off entities and, for Produce and Fetch, off the bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from operator import attrgetter
from struct import Struct
from typing import TYPE_CHECKING, Any, cast

from broker.handlers.response import layout
from broker.protocol.api_keys import ApiKey
from broker.protocol.batches import Buffer
from broker.protocol.varint import read_uvarint, skip_tags

if TYPE_CHECKING:
    from broker.handlers.table import Operation

ERROR_FIELDS = ("error_code", "partition_error_code")
int16 = Struct(">h")
int32 = Struct(">i")
NOTHING: Sequence[int] = ()


def errors_in_answer(operation: Operation, answer: Any) -> Sequence[int]:
    """Codes other than 0, one for each place in the answer where one stands."""
    if type(answer) is not list:
        return list(errors_in_entity(answer))
    reader = errors_in_produce if operation.api.key == ApiKey.PRODUCE else errors_in_fetch
    return reader(cast("list[Buffer]", answer), operation.version, operation.flexible_response)


# -- entities ----------------------------------------------------------------------------------------------------------
@cache
def places(kind: type) -> tuple[tuple[Callable[[Any], Any], ...], tuple[Callable[[Any], Any], ...]]:
    """How to get at the codes of an entity, and at the arrays below which there are more."""
    codes: list[Callable[[Any], Any]] = []
    arrays: list[Callable[[Any], Any]] = []
    for name, nested, many in layout(kind):
        if name in ERROR_FIELDS:
            codes.append(attrgetter(name))
        elif nested is not None and many and is_kind_with_errors(nested):
            arrays.append(attrgetter(name))
    return tuple(codes), tuple(arrays)


def is_kind_with_errors(kind: type) -> bool:
    codes, arrays = places(kind)
    return bool(codes or arrays)


def errors_in_entity(entity: Any) -> Iterator[int]:
    codes, arrays = places(entity.__class__)
    for get in codes:
        if code := get(entity).value:
            yield code
    for get in arrays:
        for item in get(entity) or ():
            yield from errors_in_entity(item)


# -- bytes -------------------------------------------------------------------------------------------------------------
class Cursor:
    """Walks over an answer in parts."""

    __slots__ = ("flexible", "part", "parts", "position")

    def __init__(self, parts: Sequence[Buffer], flexible: bool) -> None:
        self.parts = iter(parts)
        self.part: Any = next(self.parts)
        self.position = 0
        self.flexible = flexible

    def code(self) -> int:
        value: int = int16.unpack_from(self.part, self.position)[0]
        self.position += 2
        return value

    def length(self) -> int:
        """Of an array, or of bytes; -1: null."""
        if self.flexible:
            length, self.position = read_uvarint(self.part, self.position)
            return length - 1
        length = int32.unpack_from(self.part, self.position)[0]
        self.position += 4
        return length

    def skip_string(self) -> None:
        if self.flexible:
            length, self.position = read_uvarint(self.part, self.position)
            self.position += max(length - 1, 0)
        else:
            self.position += 2 + max(int16.unpack_from(self.part, self.position)[0], 0)

    def skip_tags(self) -> None:
        if self.flexible:
            self.position = skip_tags(self.part, self.position)

    def skip_records(self) -> None:
        """Records end the part they follow in, and may be parts of their own."""
        left = self.length()
        while left > 0:
            here = len(self.part) - self.position
            if here > left:
                self.position += left
                return
            left -= here
            self.part, self.position = next(self.parts, b""), 0


def errors_in_produce(parts: Sequence[Buffer], version: int, flexible: bool) -> Sequence[int]:
    """In locals, not with a cursor: metrics ask this of every produce. The common answer, of one partition without an
    error, has its code at a place that is known."""
    found: list[int] = []
    part: Any = parts[0]
    if flexible and part[0] == 2 and (version >= 13 or part[1] < 0x80):
        at = 17 if version >= 13 else 1 + part[1]  # behind the one topic's id or name
        if part[at] == 2 and part[at + 5] == 0 and part[at + 6] == 0:
            return NOTHING
    cursor = Cursor(parts, flexible)
    for _ in range(cursor.length()):
        if version >= 13:
            cursor.position += 16
        else:
            cursor.skip_string()
        for _ in range(cursor.length()):
            cursor.position += 4
            if code := cursor.code():
                found.append(code)
            cursor.position += 24 if version >= 5 else 16
            if version >= 8:
                for _ in range(cursor.length()):
                    cursor.position += 4
                    cursor.skip_string()
                    cursor.skip_tags()
                cursor.skip_string()
            cursor.skip_tags()
        cursor.skip_tags()
    return found or NOTHING


def errors_in_fetch(parts: Sequence[Buffer], version: int, flexible: bool) -> Sequence[int]:
    cursor = Cursor(parts, flexible)
    cursor.position = 4  # throttle time
    found: list[int] = []
    if version >= 7:
        if code := cursor.code():
            found.append(code)
        cursor.position += 4  # session
    for _ in range(cursor.length()):
        if version >= 13:
            cursor.position += 16
        else:
            cursor.skip_string()
        for _ in range(cursor.length()):
            cursor.position += 4
            if code := cursor.code():
                found.append(code)
            cursor.position += 24 if version >= 5 else 16
            for _ in range(cursor.length()):
                cursor.position += 16
                cursor.skip_tags()
            if version >= 11:
                cursor.position += 4
            cursor.skip_records()
            cursor.skip_tags()
        cursor.skip_tags()
    return found or NOTHING
