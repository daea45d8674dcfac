"""Keys and values of a time buffer's rows.

table key                 value
(empty)                   how many values and bytes the buffer holds, 8 bytes each; missing after a restore
lane, time, key           the values, each behind its length in 4 bytes
0xff, key                 keyed buffers only: the time under which the key waits, 8 bytes

offset  width  field, of the second kind, which is also the changelog key
0       1      lane, 0 to 254
1       8      time, ms, big-endian
9       rest   key
"""

from __future__ import annotations

from struct import Struct
from typing import Final

HEAD: Final = Struct(">BQ")
HEAD_BYTES: Final = HEAD.size
LENGTH: Final = Struct(">I")
TIME: Final = Struct(">Q")
TOTALS: Final = Struct(">QQ")
TOTALS_KEY: Final = b""
INDEX: Final = b"\xff"
MOST_LANES: Final = 255


def split_entry(local: bytes) -> tuple[int, int, bytes]:
    """(lane, time, key) of an entry's table key. Raises ValueError if it is none."""
    if len(local) < HEAD_BYTES or local[0] >= MOST_LANES:
        raise ValueError(f"{len(local)} bytes that do not begin with a lane and a time")
    lane, time = HEAD.unpack_from(local)
    return lane, time, local[HEAD_BYTES:]


def pack_values(values: tuple[bytes, ...]) -> bytes:
    """The row of some values."""
    return b"".join([part for value in values for part in (LENGTH.pack(len(value)), value)])


def unpack_values(row: bytes) -> tuple[bytes, ...]:
    """The values of a row. Raises ValueError if it is none."""
    values: list[bytes] = []
    at = 0
    while at < len(row):
        end = at + 4 + (LENGTH.unpack_from(row, at)[0] if at + 4 <= len(row) else len(row))
        if end > len(row):
            raise ValueError("the last value is cut off")
        values.append(row[at + 4 : end])
        at = end
    return tuple(values)
