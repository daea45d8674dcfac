"""The two sparse indexes of a segment, in memory and in Kafka's file layout.

    .index       relative offset int32 · position int32              one entry about every 4 KiB of log
    .timeindex   timestamp int64 · relative offset int32             largest timestamp so far, and where it stands

Both are hints that recovery can rebuild. They are written when a segment is sealed, at a clean shutdown and every few
megabytes (`recovery_point`), so that nearly all appends write one file only. Entries in the files stay where they are;
new ones follow. Behind them stands what Kafka's files do not have, and what tells a sound file from a damaged one:

    number of entries uint32 · size of the .log file they were written for uint32 · offset behind its last batch int64 ·
    crc32c uint32 of all before
"""

from __future__ import annotations

import os
import sys
from array import array
from bisect import bisect_left, bisect_right
from pathlib import Path
from struct import Struct
from typing import NamedTuple

from broker.protocol.checksum import crc32c

OFFSET_ENTRY_SIZE = 8
TIME_ENTRY_SIZE = 12
trailer_struct = Struct(">IIq")
checksum_struct = Struct(">I")
TRAILER_SIZE = trailer_struct.size + checksum_struct.size


class IndexFileError(Exception):
    """An index file that is missing or cannot be right; the segment must be scanned."""


class Indexed(NamedTuple):
    """What of a .log file an index speaks of: its size then, and the offset behind its last batch."""

    size: int
    next_offset: int


class OffsetIndex:
    """Batch start positions by base offset relative to the segment's."""

    __slots__ = ("checksum", "offsets", "positions", "saved")

    def __init__(self) -> None:
        self.offsets = array("i")
        self.positions = array("i")
        self.saved = 0
        """Entries that are in the file, and stay there."""
        self.checksum = 0
        """Of those."""

    def add(self, relative_offset: int, position: int) -> None:
        """Both must be larger than those before."""
        self.offsets.append(relative_offset)
        self.positions.append(position)

    def position_at_or_before(self, relative_offset: int) -> int:
        """Start of a batch whose base offset is not above the given one; 0 if none is indexed."""
        entry = bisect_right(self.offsets, relative_offset) - 1
        return self.positions[entry] if entry >= 0 else 0

    def boundary_at_or_before(self, position: int) -> tuple[int, int]:
        """The last indexed batch start that is not above a position, and its offset; (0, 0) if there is none."""
        entry = bisect_right(self.positions, position) - 1
        return (self.positions[entry], self.offsets[entry]) if entry >= 0 else (0, 0)

    def position_behind(self, position: int) -> int:
        """The first indexed batch start that is above a position; -1: there is none."""
        entry = bisect_right(self.positions, position)
        return self.positions[entry] if entry < len(self.positions) else -1

    def last_position(self) -> int:
        return self.positions[-1] if self.positions else 0

    def cut(self, position: int) -> None:
        """Drops the entries of a position and behind it."""
        entry = bisect_left(self.positions, position)
        del self.offsets[entry:], self.positions[entry:]
        self.saved = self.checksum = 0

    def save(self, path: Path, indexed: Indexed) -> None:
        """Brings the file up to date. Raises OSError."""
        self.checksum = write_entries(
            path, self.encode(self.saved), self.saved * OFFSET_ENTRY_SIZE, self.checksum, len(self.offsets), indexed
        )
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
    def load(cls, path: Path) -> tuple[OffsetIndex, Indexed]:
        """Raises IndexFileError if the file is missing or damaged."""
        content, checksum, indexed = read_entries(path, OFFSET_ENTRY_SIZE)
        entries = array("i", content)
        if sys.byteorder == "little":
            entries.byteswap()
        index = cls()
        index.offsets = entries[0::2]
        index.positions = entries[1::2]
        index.saved, index.checksum = len(index.offsets), checksum
        return index, indexed


class TimeIndex:
    """(largest timestamp so far, relative offset of the batch's last record), both rising."""

    __slots__ = ("checksum", "offsets", "saved", "timestamps")

    def __init__(self) -> None:
        self.timestamps = array("q")
        self.offsets = array("i")
        self.saved = 0
        """Entries that are in the file, and stay there."""
        self.checksum = 0
        """Of those."""

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
        self.saved = self.checksum = 0

    def save(self, path: Path, indexed: Indexed) -> None:
        """Brings the file up to date. Raises OSError."""
        self.checksum = write_entries(
            path, self.encode(self.saved), self.saved * TIME_ENTRY_SIZE, self.checksum, len(self.offsets), indexed
        )
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
    def load(cls, path: Path) -> tuple[TimeIndex, Indexed]:
        """Raises IndexFileError if the file is missing or damaged."""
        content, checksum, indexed = read_entries(path, TIME_ENTRY_SIZE)
        index = cls()
        for field, at in ((index.timestamps, 0), (index.offsets, index.timestamps.itemsize)):
            out = bytearray(len(content) // TIME_ENTRY_SIZE * field.itemsize)
            for byte in range(field.itemsize):
                out[byte :: field.itemsize] = content[at + byte :: TIME_ENTRY_SIZE]
            field.frombytes(out)
            if sys.byteorder == "little":
                field.byteswap()
        index.saved, index.checksum = len(index.offsets), checksum
        return index, indexed


def read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise IndexFileError(f"{path}: missing") from error


def read_entries(path: Path, entry_size: int) -> tuple[bytes, int, Indexed]:
    """(entries, their checksum, what they speak of). Raises IndexFileError."""
    content = read_file(path)
    end = len(content) - TRAILER_SIZE
    if end < 0 or end % entry_size:
        raise IndexFileError(f"{path}: not a whole number of entries")
    count, size, next_offset = trailer_struct.unpack_from(content, end)
    checksum = crc32c(memoryview(content)[:end])
    found = crc32c(content[end : end + trailer_struct.size], checksum)
    if count * entry_size != end or found != checksum_struct.unpack_from(content, end + trailer_struct.size)[0]:
        raise IndexFileError(f"{path}: wrong checksum")
    return content[:end], checksum, Indexed(size, next_offset)


def write_entries(path: Path, entries: bytes, position: int, checksum: int, count: int, indexed: Indexed) -> int:
    """Makes a file end with these entries from a position on; `checksum`: of those before, `count`: of all.

    Returns the checksum of all entries.
    """
    checksum = crc32c(entries, checksum)
    trailer = trailer_struct.pack(count, *indexed)
    content = b"".join((entries, trailer, checksum_struct.pack(crc32c(trailer, checksum))))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        written = os.pwrite(descriptor, content, position)
        if written < len(content):  # a full disk; the rest tells why
            os.pwrite(descriptor, content[written:], position + written)
        os.ftruncate(descriptor, position + len(content))
    finally:
        os.close(descriptor)
    return checksum
