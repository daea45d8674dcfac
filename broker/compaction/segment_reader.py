"""Reads the segments that are to be cleaned, sequentially and without touching what the broker has open."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from broker.protocol.batches import (
    HEADER_SIZE,
    LENGTH_OVERHEAD,
    BatchHeader,
    CorruptBatchError,
    checksum,
    read_header,
    walk,
)

READ_BYTES = 1_048_576


class SegmentReader:
    """The first `size` bytes of a segment's log file. Open until `close`, even if the broker removes the file."""

    def __init__(self, directory: Path, base_offset: int, size: int) -> None:
        """Raises OSError if the file is not there."""
        self.path = directory / f"{base_offset:020}.log"
        self.base_offset = base_offset
        self.size = size
        self.descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        self.modified_ns = os.fstat(self.descriptor).st_mtime_ns

    def close(self) -> None:
        os.close(self.descriptor)

    def checked(self, batch: bytes, position: int) -> tuple[BatchHeader, bytes]:
        """With a new checksum, damage could not be told any more. Raises CorruptBatchError."""
        header = read_header(batch)
        if header.magic != 2 or checksum(batch) != header.crc:
            raise CorruptBatchError(f"{self.path}: no sound batch at position {position}")
        return header, batch

    def batches(self) -> Iterator[tuple[BatchHeader, bytes]]:
        """All batches in order. Raises OSError, CorruptBatchError."""
        position = 0
        while position < self.size:
            chunk = os.pread(self.descriptor, min(READ_BYTES, self.size - position), position)
            used = 0
            for start, size in walk(chunk):
                yield self.checked(chunk[start : start + size], position + start)
                used = start + size
            if not used:  # a batch larger than a chunk
                header = read_header(chunk) if len(chunk) >= HEADER_SIZE else None
                used = 0 if header is None else header.length + LENGTH_OVERHEAD
                if header is None or used < HEADER_SIZE or position + used > self.size:
                    raise CorruptBatchError(f"{self.path}: no whole batch at position {position}")
                yield self.checked(os.pread(self.descriptor, used, position), position)
            position += used
