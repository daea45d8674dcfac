"""Keys of rows that have a time: windows, sessions, versions.

The changelog key is Kafka Streams' own, so its tools read our changelogs:

    offset     width   field
    0          n       key, as the key serde made it
    n          8       time, ms, big-endian
    n + 8      4 or 8  rank, big-endian: what tells rows of one key and time apart

              time            rank           source
    windows   window start    4: sequence    `WindowKeySchema`
    sessions  session end     8: start       `SessionKeySchema`

The sequence is 0 unless the store keeps duplicates. The local key puts the segment (time // segment_ms) in front:

    0          8       segment, big-endian
    8          n + …   changelog key

Within a segment rows are in order of key, so a fetch of one key is one short scan per segment, and expiry deletes whole
segments from the front by one range deletion. Times and segments are unsigned, hence the byte order is the time order.
Keys are not of fixed width: between (key, time) bounds lie rows of longer keys too, which readers must skip.

Source: `SegmentedBytesStore`, with a prefix instead of a database per segment.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

SEGMENT: Final = Struct(">Q")
HEAD_BYTES: Final = 8
LARGEST_TIME: Final = 2**63 - 1


class TimedKeys:
    """One layout of keys. `suffix` packs (time, rank), `suffix_bytes` is its width."""

    __slots__ = ("_largest_rank", "suffix", "suffix_bytes")

    def __init__(self, suffix: str) -> None:
        self.suffix: Final = Struct(suffix)
        self.suffix_bytes: Final = self.suffix.size
        self._largest_rank: Final = 2 ** (8 * (self.suffix_bytes - 8)) - 1

    def changelog_key(self, key: bytes, time: int, rank: int = 0) -> bytes:
        """The key of a row in the changelog. Times are >= 0, ms."""
        return key + self.suffix.pack(time, rank)

    def local_key(self, key: bytes, time: int, rank: int, segment_ms: int) -> bytes:
        """The key of a row in the table."""
        return SEGMENT.pack(time // segment_ms) + key + self.suffix.pack(time, rank)

    def local_from_changelog(self, changelog: bytes, segment_ms: int) -> bytes:
        """A table key from a changelog key. Raises ValueError if it is too short or its time is negative."""
        return SEGMENT.pack(self.time_of(changelog) // segment_ms) + changelog

    def time_of(self, changelog: bytes) -> int:
        """The time in a changelog key. Raises ValueError if there is none or it is negative."""
        if len(changelog) < self.suffix_bytes:
            raise ValueError(f"{len(changelog)} bytes, it should have at least {self.suffix_bytes}")
        time = self.suffix.unpack_from(changelog, len(changelog) - self.suffix_bytes)[0]
        if time > LARGEST_TIME:
            raise ValueError("its time is negative")
        return time

    def split_local(self, local: bytes) -> tuple[bytes, int, int]:
        """(key, time, rank) of a table key."""
        time, rank = self.suffix.unpack_from(local, len(local) - self.suffix_bytes)
        return local[HEAD_BYTES : -self.suffix_bytes], time, rank

    def rows_end(self, key: bytes, last: int) -> bytes:
        """Sorts after the rows of `key` up to the time `last`, if the segment is put in front."""
        return key + self.suffix.pack(last, self._largest_rank) + b"\x00"

    def keys_end(self, key_to: bytes) -> bytes:
        """Sorts after the rows of all keys <= `key_to`, if the segment is put in front.

        A row of a shorter key that `key_to` begins with may lie behind the rows of `key_to` itself, when its time sorts
        after the rest of `key_to`.
        """
        top = self.suffix.pack(LARGEST_TIME, self._largest_rank)
        return max(key_to[:end] + top for end in range(len(key_to) + 1)) + b"\x00"


WINDOW_KEYS: Final = TimedKeys(">QI")
SESSION_KEYS: Final = TimedKeys(">QQ")


def changelog_from_local(local: bytes) -> bytes:
    """A changelog key from a table key."""
    return local[HEAD_BYTES:]


def segment_of(local: bytes) -> int:
    """The segment of a table key."""
    return SEGMENT.unpack_from(local)[0]


def segment_prefix(segment: int) -> bytes:
    """The first 8 bytes of all table keys of a segment; as a key it sorts before all of them."""
    return SEGMENT.pack(segment)
