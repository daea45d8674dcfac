"""Rows: what a store holds under a key, and their local form.

In memory a row is the pair (value, timestamp in ms) with a decoded value. In a table it is

    offset  width  field
    0       8      timestamp, ms, signed big-endian
    8       rest   value, as the store's codec encodes it

while a changelog record is the plain value with the timestamp as the record's timestamp, so a changelog reads like
any other topic. Source: Kafka's `TimestampedKeyValueStore` (KIP-258) has the same two forms.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from struct import Struct
from typing import Any, Final, Literal

from stores.codec import ValueCodec

Row = tuple[Any, int]
"""(decoded value, timestamp in ms since the epoch)."""

TIMESTAMP: Final = Struct(">q")


class Missing(Enum):
    """The type of `MISSING`: says that a cache knows nothing of a key, where None says that the key has no row."""

    MISSING = "MISSING"

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final[Literal[Missing.MISSING]] = Missing.MISSING


def row_decoder(codec: ValueCodec) -> Callable[[bytes], Row]:
    """The function from a row's local form to the row."""
    decode, unpack = codec.decode, TIMESTAMP.unpack_from

    def decode_row(local: bytes) -> Row:
        return decode(local[8:]), unpack(local)[0]

    return decode_row
