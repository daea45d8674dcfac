"""Keys of window rows.

The changelog key is Kafka Streams' own, so its tools read our changelogs:

    offset     width  field
    0          n      key, as the key serde made it
    n          8      window start, ms, big-endian
    n + 8      4      sequence number, big-endian; 0 (stores with duplicates count up)

The local key puts the segment (start // segment_ms) in front:

    0          8      segment, big-endian
    8          n+12   changelog key

Within a segment rows are in order of key, so a fetch of one key is one short scan per segment, and expiry deletes whole
segments from the front by one range deletion. Starts and segments are unsigned, hence the byte order is the time order.
Keys are not of fixed width: between (key, start) bounds lie rows of longer keys too, which readers must skip.

Source: `WindowKeySchema`, and `SegmentedBytesStore` with a prefix instead of a database per segment.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

SEGMENT: Final = Struct(">Q")
SUFFIX: Final = Struct(">QI")
SUFFIX_BYTES: Final = 12
HEAD_BYTES: Final = 8
LARGEST_TIME: Final = 2**63 - 1


def changelog_key(key: bytes, start: int, sequence: int = 0) -> bytes:
    """The key of a window's row in the changelog. Starts are >= 0, ms."""
    return key + SUFFIX.pack(start, sequence)


def local_key(key: bytes, start: int, segment_ms: int, sequence: int = 0) -> bytes:
    """The key of a window's row in the table."""
    return SEGMENT.pack(start // segment_ms) + key + SUFFIX.pack(start, sequence)


def local_from_changelog(changelog: bytes, segment_ms: int) -> bytes:
    """A table key from a changelog key. Raises ValueError if it is too short or its start is negative."""
    if len(changelog) < SUFFIX_BYTES:
        raise ValueError(f"{len(changelog)} bytes, a window key has at least {SUFFIX_BYTES}")
    start = SUFFIX.unpack_from(changelog, len(changelog) - SUFFIX_BYTES)[0]
    if start > LARGEST_TIME:
        raise ValueError("the window start is negative")
    return SEGMENT.pack(start // segment_ms) + changelog


def changelog_from_local(local: bytes) -> bytes:
    """A changelog key from a table key."""
    return local[HEAD_BYTES:]


def split_local(local: bytes) -> tuple[bytes, int]:
    """(key, start) of a table key."""
    return local[HEAD_BYTES:-SUFFIX_BYTES], SUFFIX.unpack_from(local, len(local) - SUFFIX_BYTES)[0]


def segment_of(local: bytes) -> int:
    """The segment of a table key."""
    return SEGMENT.unpack_from(local)[0]


def segment_prefix(segment: int) -> bytes:
    """The first 8 bytes of all table keys of a segment; as a key it sorts before all of them."""
    return SEGMENT.pack(segment)
