"""The aborted transactions of a partition: what a read_committed consumer has to leave out.

File `<base offset, 20 digits>.txnindex`, one a segment: those whose abort markers stand in the segment.

    crc32c uint32 of the rest · per transaction, in order of the markers: version int16 (0) · producer id int64 ·
    first offset int64 · last offset int64 (the marker's) · last stable offset int64

Source: `TransactionIndex`, `AbortedTxn` of Apache Kafka, which have no checksum.
"""

from __future__ import annotations

from bisect import bisect_left
from pathlib import Path
from struct import Struct
from typing import NamedTuple

from broker.log.index import IndexFileError, read_file
from broker.protocol.checksum import crc32c

VERSION = 0
checksum_struct = Struct(">I")
entry_struct = Struct(">hqqqq")


class AbortedTransaction(NamedTuple):
    """`last_offset`: of its abort marker. `last_stable_offset`: the log's when the marker was written; every
    transaction that begins below it was decided by then."""

    producer_id: int
    first_offset: int
    last_offset: int
    last_stable_offset: int


class AbortedTransactions:
    """All of a partition in order of their markers. Owned by the partition log."""

    def __init__(self) -> None:
        self.entries: list[AbortedTransaction] = []

    def add(self, entry: AbortedTransaction) -> None:
        """Its marker must stand behind all others."""
        self.entries.append(entry)

    def overlapping(self, start: int, end: int) -> list[AbortedTransaction]:
        """Those with records from offset `start` on and below `end`, in order of their first offsets."""
        found: list[AbortedTransaction] = []
        for number in range(bisect_left(self.entries, start, key=last_offset), len(self.entries)):
            entry = self.entries[number]
            if entry.first_offset < end:
                found.append(entry)
            if entry.last_stable_offset >= end:
                break
        found.sort(key=first_offset)
        return found

    def forget_before(self, offset: int) -> None:
        """Drops those whose markers are deleted."""
        del self.entries[: bisect_left(self.entries, offset, key=last_offset)]

    def forget_from(self, offset: int) -> None:
        """Drops those whose markers stand at an offset or behind it."""
        del self.entries[bisect_left(self.entries, offset, key=last_offset) :]

    # -- files -------------------------------------------------------------------------------------------------------
    def write(self, path: Path, start: int, end: int) -> None:
        """Writes the file of a segment: the entries whose markers stand from `start` on and below `end`."""
        low = bisect_left(self.entries, start, key=last_offset)
        high = bisect_left(self.entries, end, key=last_offset)
        body = b"".join([entry_struct.pack(VERSION, *entry) for entry in self.entries[low:high]])
        path.write_bytes(checksum_struct.pack(crc32c(body)) + body)

    def load(self, path: Path) -> None:
        """Adds the entries of a segment's file. Raises IndexFileError if it is missing or damaged."""
        content = read_file(path)
        body = memoryview(content)[checksum_struct.size :]
        if len(content) < checksum_struct.size or len(body) % entry_struct.size:
            raise IndexFileError(f"{path}: not a whole number of entries")
        if checksum_struct.unpack_from(content)[0] != crc32c(body):
            raise IndexFileError(f"{path}: wrong checksum")
        self.entries += [AbortedTransaction._make(fields[1:]) for fields in entry_struct.iter_unpack(body)]


def last_offset(entry: AbortedTransaction) -> int:
    return entry.last_offset


def first_offset(entry: AbortedTransaction) -> int:
    return entry.first_offset
