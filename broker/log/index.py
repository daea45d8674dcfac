"""The two sparse indexes of a segment, in memory and in Kafka's file layout.

    .index       relative offset int32 · position int32              one entry about every 4 KiB of log
    .timeindex   timestamp int64 · relative offset int32             largest timestamp so far, and where it stands

Both are hints that recovery can rebuild. They are written when a segment is sealed, at a clean shutdown and every few
megabytes (`recovery_point`), so that nearly all appends write one file only. Entries in the files stay where they are;
new ones follow.
"""

from __future__ import annotations

import os
import sys
from array import array
from bisect import bisect_left, bisect_right
from pathlib import Path

OFFSET_ENTRY_SIZE = 8
TIME_ENTRY_SIZE = 12


class IndexFileError(Exception):
    """An index file that is missing or cannot be right; the segment must be scanned."""


class OffsetIndex:
    """Batch start positions by base offset relative to the segment's."""

    __slots__ = ("offsets", "positions", "saved")

    def __init__(self) -> None:
        self.offsets = array("i")
        self.positions = array("i")
        self.saved = 0
        """Entries that are in the file."""

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

    def cut(self, position: int) -> None:
        """Drops the entries of a position and behind it."""
        entry = bisect_left(self.positions, position)
        del self.offsets[entry:], self.positions[entry:]
        self.saved = min(self.saved, entry)

    def save(self, path: Path) -> None:
        """Brings the file up to date. Raises OSError."""
        write_entries(path, self.encode(self.saved), self.saved * OFFSET_ENTRY_SIZE)
        self.saved = len(self.offsets)

    def encode(self, start: int = 0) -> bytes:
        """The entries from one on, as in the file."""
        entries = array("i", bytes((len(self.offsets) - start) * OFFSET_ENTRY_SIZE))
        entries[0::2] = self.offsets[start:]
        entries[1::2] = self.positions[start:]
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
        index.saved = len(index.offsets)
        if index.positions and not 0 <= index.positions[-1] < segment_size:
            raise IndexFileError(f"{path}: points behind the end of the segment")
        return index


class TimeIndex:
    """(largest timestamp so far, relative offset of the batch's last record), both rising."""

    __slots__ = ("offsets", "saved", "timestamps")

    def __init__(self) -> None:
        self.timestamps = array("q")
        self.offsets = array("i")
        self.saved = 0
        """Entries that are in the file."""

    def add(self, timestamp: int, relative_offset: int) -> None:
        """Ignored unless the timestamp is above the last one."""
        if not self.timestamps or timestamp > self.timestamps[-1]:
            self.timestamps.append(timestamp)
            self.offsets.append(relative_offset)

    def offset_before(self, timestamp: int) -> int:
        """A relative offset before which no record has a timestamp at or above the given one."""
        entry = bisect_left(self.timestamps, timestamp) - 1
        return self.offsets[entry] if entry >= 0 else 0

    def cut(self, relative_offset: int) -> None:
        """Drops the entries of an offset and behind it."""
        entry = bisect_left(self.offsets, relative_offset)
        del self.offsets[entry:], self.timestamps[entry:]
        self.saved = min(self.saved, entry)

    def save(self, path: Path) -> None:
        """Brings the file up to date. Raises OSError."""
        write_entries(path, self.encode(self.saved), self.saved * TIME_ENTRY_SIZE)
        self.saved = len(self.offsets)

    def encode(self, start: int = 0) -> bytes:
        """The entries from one on, as in the file. Byte by byte of all entries at once: there are many."""
        timestamps, offsets = self.timestamps[start:], self.offsets[start:]
        if sys.byteorder == "little":
            timestamps.byteswap()
            offsets.byteswap()
        out = bytearray(len(offsets) * TIME_ENTRY_SIZE)
        for field, at in ((timestamps, 0), (offsets, timestamps.itemsize)):
            content = field.tobytes()
            for byte in range(field.itemsize):
                out[at + byte :: TIME_ENTRY_SIZE] = content[byte :: field.itemsize]
        return bytes(out)

    @classmethod
    def load(cls, path: Path) -> TimeIndex:
        """Raises IndexFileError if the file is missing or torn."""
        content = read_file(path)
        if len(content) % TIME_ENTRY_SIZE:
            raise IndexFileError(f"{path}: not a whole number of entries")
        index = cls()
        for field, at in ((index.timestamps, 0), (index.offsets, index.timestamps.itemsize)):
            out = bytearray(len(content) // TIME_ENTRY_SIZE * field.itemsize)
            for byte in range(field.itemsize):
                out[byte :: field.itemsize] = content[at + byte :: TIME_ENTRY_SIZE]
            field.frombytes(out)
            if sys.byteorder == "little":
                field.byteswap()
        index.saved = len(index.offsets)
        return index


def read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise IndexFileError(f"{path}: missing") from error


def write_entries(path: Path, entries: bytes, position: int) -> None:
    """Makes a file end with these entries, from a position on."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        os.pwrite(descriptor, entries, position)
        os.ftruncate(descriptor, position + len(entries))
    finally:
        os.close(descriptor)
