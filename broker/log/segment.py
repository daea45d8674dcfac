"""One segment: a file of record batches, its indexes and its largest timestamp.

    <base offset, 20 digits>.log         batches, nothing else
    <base offset, 20 digits>.index       see `index`
    <base offset, 20 digits>.timeindex
    <base offset, 20 digits>.txnindex    see `aborted`; the partition log writes it

Source: `LogSegment` of Apache Kafka.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from broker.log.index import Indexed, IndexFileError, OffsetIndex, TimeIndex
from broker.log.open_files import OpenFiles
from broker.protocol.batches import (
    HEADER_SIZE,
    LENGTH_OVERHEAD,
    BatchHeader,
    Buffer,
    CorruptBatchError,
    read_header,
)

SCAN_BYTES = 8_192


def write_at(descriptor: int, data: Buffer, position: int) -> None:
    """Writes all of it, or raises OSError; what a failed call left behind the caller truncates."""
    written = os.pwrite(descriptor, data, position)
    while written < len(data):
        written += os.pwrite(descriptor, memoryview(data)[written:], position + written)


class ShortenedSegmentError(IndexFileError):
    """The indexes are sound, but the .log file has lost its end since."""


class Segment:
    """Owned by its partition log. The file is opened on first use."""

    __slots__ = (
        "base_offset", "created_ms", "descriptor", "files", "first_timestamp", "indexed_to", "max_timestamp",
        "max_timestamp_offset", "next_offset", "offset_index", "path", "saved_to", "size", "time_index",
    )  # fmt: skip

    def __init__(
        self, directory: Path, base_offset: int, files: OpenFiles | None = None, *, created_ms: int = -1
    ) -> None:
        """`files` bounds how many are open; None: no bound. `created_ms`: when it was begun; -1: not known."""
        self.path = directory / f"{base_offset:020}.log"
        self.base_offset = base_offset
        self.files = files
        self.created_ms = created_ms
        self.descriptor = -1
        self.size = 0
        self.next_offset = base_offset
        """Offset behind the last batch."""
        self.offset_index = OffsetIndex()
        self.time_index = TimeIndex()
        self.indexed_to = 0
        """Position up to which the index interval has been counted."""
        self.saved_to = 0
        """Position up to which the index files are complete."""
        self.max_timestamp = -1
        self.max_timestamp_offset = base_offset
        """Last offset of the batch that has the largest timestamp."""
        self.first_timestamp = -1
        """Largest timestamp of the first batch; rolling by time counts from it. -1: empty."""

    @property
    def aborted_path(self) -> Path:
        return self.path.with_suffix(".txnindex")

    def open(self) -> int:
        """The file descriptor; opened, and the file made, if need be."""
        if self.descriptor < 0:
            if self.files is not None:
                self.files.make_room()
            self.descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            if self.files is not None:
                self.files.opened(self)
        return self.descriptor

    def close(self) -> None:
        """Closes the file; the next use opens it again."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
            if self.files is not None:
                self.files.closed(self)

    def append(self, batch: Buffer, size: int, base_offset: int, last_offset: int, timestamp: int, every: int) -> None:
        """Writes a batch at the end; `every` is the index interval in bytes.

        Raises OSError and leaves the segment as it was.
        """
        position = self.size
        try:
            write_at(self.descriptor if self.descriptor >= 0 else self.open(), batch, position)
        except OSError:
            self.truncate_file(position)
            raise
        self.note(position, size, base_offset, last_offset, timestamp, every)

    def note(self, position: int, size: int, base_offset: int, last_offset: int, timestamp: int, every: int) -> None:
        """Takes a batch that stands in the file into the indexes."""
        if timestamp > self.max_timestamp:
            self.max_timestamp = timestamp
            self.max_timestamp_offset = last_offset
        if not position:
            self.first_timestamp = timestamp
        elif position - self.indexed_to >= every:
            self.offset_index.add(base_offset - self.base_offset, position)
            self.time_index.add(self.max_timestamp, self.max_timestamp_offset - self.base_offset)
            self.indexed_to = position
        self.size = position + size
        self.next_offset = last_offset + 1

    def truncate_file(self, size: int) -> None:
        """Cuts off what lies behind `size` bytes; a failure to do so is left to recovery, which finds the same end."""
        if self.descriptor >= 0:
            os.ftruncate(self.descriptor, size)
        elif self.path.stat().st_size > size:
            os.truncate(self.path, size)

    def read(self, position: int, size: int) -> bytes:
        return os.pread(self.descriptor if self.descriptor >= 0 else self.open(), size, position)

    def headers(self, position: int) -> Iterator[tuple[int, BatchHeader]]:
        """(position, header) of the batches from a batch start on, reading little more than the headers.

        Raises CorruptBatchError where the headers do not lead on. What they do not tell, checksums do.
        """
        chunk, chunk_start = b"", position
        size = self.size
        while position < size:
            if not chunk_start <= position <= chunk_start + len(chunk) - HEADER_SIZE:
                chunk, chunk_start = self.read(position, SCAN_BYTES), position
                if len(chunk) < HEADER_SIZE:
                    raise CorruptBatchError(f"{self.path}: no whole batch at position {position}")
            header = read_header(chunk, position - chunk_start)
            end = position + header.length + LENGTH_OVERHEAD
            if (
                header.magic != 2
                or end < position + HEADER_SIZE
                or end > size
                or header.base_offset < self.base_offset
                or header.last_offset_delta < 0
            ):
                raise CorruptBatchError(f"{self.path}: no sound batch at position {position}")
            yield position, header
            position = end

    def locate(self, offset: int) -> int:
        """Start of the first batch that ends at or behind an offset; the segment's size if there is none."""
        start = self.offset_index.position_at_or_before(offset - self.base_offset)
        for position, header in self.headers(start):
            if header.base_offset + header.last_offset_delta >= offset:
                return position
        return self.size

    def boundary(self, start: int, limit: int) -> tuple[int, int]:
        """The last batch end not above position `limit`, searched from batch start `start` on, with the offset there.

        (start, -1) if the first batch ends above the limit. Raises CorruptBatchError if nothing sound is known before.
        """
        found, offset = start, -1
        indexed, relative_offset = self.offset_index.boundary_at_or_before(limit)
        if indexed > start:
            found, offset = indexed, self.base_offset + relative_offset
        try:
            for position, header in self.headers(found):
                end = position + header.length + LENGTH_OVERHEAD
                if end > limit:
                    return position, header.base_offset if position > start else -1
                found, offset = end, header.base_offset + header.last_offset_delta + 1
        except CorruptBatchError:
            if found == start:
                raise
        return found, offset

    def age_from(self) -> int:
        """The time in ms that retention counts from: the largest timestamp; of records without, the last write."""
        return self.max_timestamp if self.max_timestamp >= 0 else int(self.path.stat().st_mtime * 1000)

    def sync(self) -> None:
        """Makes the batches durable. Raises OSError. The one method that may be called in another thread.

        It opens the file for itself, so that closing the segment meanwhile cannot make it sync something else.
        """
        descriptor = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        try:
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)

    def write_indexes(self) -> None:
        """Writes both index files; the largest timestamp is the time index's last entry."""
        if self.size:
            self.time_index.add(self.max_timestamp, self.max_timestamp_offset - self.base_offset)
        indexed = Indexed(self.size, self.next_offset)
        self.offset_index.save(self.path.with_suffix(".index"), indexed)
        self.time_index.save(self.path.with_suffix(".timeindex"), indexed)
        self.saved_to = self.size

    def load_indexes(self) -> None:
        """Takes size, end offset, indexes and largest timestamp from the index files; of what the .log file has beyond
        that they know nothing. Raises IndexFileError, also where the .log file is shorter."""
        offset_index, indexed = OffsetIndex.load(self.path.with_suffix(".index"))
        time_index, timed = TimeIndex.load(self.path.with_suffix(".timeindex"))
        if timed != indexed:
            raise IndexFileError(f"{self.path}: its two indexes were not written at the same time")
        self.offset_index, self.time_index = offset_index, time_index
        self.size, self.next_offset = indexed
        self.saved_to = self.size
        found = self.path.stat().st_size
        if found < self.size:
            raise ShortenedSegmentError(f"{self.path}: {found} bytes where there were {self.size}")
        self.take_indexes()

    def cut_indexes(self, position: int, offset: int) -> None:
        """Forgets what the indexes say of the batches from a position on, which begin with an offset."""
        self.offset_index.cut(position)
        self.time_index.cut(offset - self.base_offset)
        self.saved_to = self.size = position
        self.next_offset = offset
        self.max_timestamp, self.max_timestamp_offset = -1, self.base_offset
        self.take_indexes()

    def take_indexes(self) -> None:
        """Sets what follows from the indexes."""
        self.indexed_to = self.offset_index.last_position()
        if self.time_index.timestamps:
            self.max_timestamp = self.time_index.timestamps[-1]
            self.max_timestamp_offset = self.base_offset + self.time_index.offsets[-1]
        if self.size >= HEADER_SIZE and len(start := self.read(0, HEADER_SIZE)) == HEADER_SIZE:
            self.first_timestamp = read_header(start).max_timestamp

    def clear(self) -> None:
        """Forgets indexes and timestamps, before a scan."""
        self.offset_index = OffsetIndex()
        self.time_index = TimeIndex()
        self.indexed_to = self.saved_to = self.size = 0
        self.next_offset = self.base_offset
        self.max_timestamp = self.first_timestamp = -1
        self.max_timestamp_offset = self.base_offset

    def delete(self) -> None:
        """Closes and removes all files of the segment."""
        self.close()
        for suffix in (".log", ".index", ".timeindex", ".txnindex"):
            self.path.with_suffix(suffix).unlink(missing_ok=True)
