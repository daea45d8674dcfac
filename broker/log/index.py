"""The two sparse indexes of a segment, in memory and in Kafka's file layout.

    .index       relative offset int32 · position int32              one entry about every 4 KiB of log
    .timeindex   timestamp int64 · relative offset int32             largest timestamp so far, and where it stands

Both are hints that recovery can rebuild. They are written when a segment is sealed and at a clean shutdown, so an
append writes one file only.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left, bisect_right
from pathlib import Path
from struct import Struct

OFFSET_ENTRY_SIZE = 8
time_entry = Struct(">qi")


class IndexFileError(Exception):
    """An index file that is missing or cannot be right; the segment must be scanned."""


class OffsetIndex:
    """Batch start positions by base offset relative to the segment's."""

    __slots__ = ("offsets", "positions")

    def __init__(self) -> None:
        self.offsets = array("i")
        self.positions = array("i")

    def add(self, relative_offset: int, position: int) -> None:
        """Both must be larger than those before."""
        self.offsets.append(relative_offset)
        self.positions.append(position)

    def position_at_or_before(self, relative_offset: int) -> int:
        """Start of a batch whose base offset is not above the given one; 0 if none is indexed."""
        entry = bisect_right(self.offsets, relative_offset) - 1
        return self.positions[entry] if entry >= 0 else 0

    def boundary_at_or_before(self, position: int) -> int:
        """The last indexed batch start that is not above a position; 0 if there is none."""
        entry = bisect_right(self.positions, position) - 1
        return self.positions[entry] if entry >= 0 else 0

    def last_position(self) -> int:
        return self.positions[-1] if self.positions else 0

    def encode(self) -> bytes:
        entries = array("i", bytes(len(self.offsets) * OFFSET_ENTRY_SIZE))
        entries[0::2] = self.offsets
        entries[1::2] = self.positions
        if sys.byteorder == "little":
            entries.byteswap()
        return entries.tobytes()

    @classmethod
    def load(cls, path: Path, *, segment_size: int) -> OffsetIndex:
        """Raises IndexFileError if the file is missing, torn or does not fit the segment."""
        content = read_file(path)
        if len(content) % OFFSET_ENTRY_SIZE:
            raise IndexFileError(f"{path}: not a whole number of entries")
        entries = array("i", content)
        if sys.byteorder == "little":
            entries.byteswap()
        index = cls()
        index.offsets = entries[0::2]
        index.positions = entries[1::2]
        if index.positions and not 0 <= index.positions[-1] < segment_size:
            raise IndexFileError(f"{path}: points behind the end of the segment")
        return index


class TimeIndex:
    """(largest timestamp so far, relative offset of the batch's last record), both rising."""

    __slots__ = ("offsets", "timestamps")

    def __init__(self) -> None:
        self.timestamps = array("q")
        self.offsets = array("i")

    def add(self, timestamp: int, relative_offset: int) -> None:
        """Ignored unless the timestamp is above the last one."""
        if not self.timestamps or timestamp > self.timestamps[-1]:
            self.timestamps.append(timestamp)
            self.offsets.append(relative_offset)

    def offset_before(self, timestamp: int) -> int:
        """A relative offset before which no record has a timestamp at or above the given one."""
        entry = bisect_left(self.timestamps, timestamp) - 1
        return self.offsets[entry] if entry >= 0 else 0

    def encode(self) -> bytes:
        return b"".join([time_entry.pack(*entry) for entry in zip(self.timestamps, self.offsets)])

    @classmethod
    def load(cls, path: Path) -> TimeIndex:
        """Raises IndexFileError if the file is missing or torn."""
        content = read_file(path)
        if len(content) % time_entry.size:
            raise IndexFileError(f"{path}: not a whole number of entries")
        index = cls()
        for timestamp, offset in time_entry.iter_unpack(content):
            index.timestamps.append(timestamp)
            index.offsets.append(offset)
        return index


def read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise IndexFileError(f"{path}: missing") from error
