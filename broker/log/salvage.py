"""Reads a segment that may be damaged, batch by batch: what is sound of it, and where it is not.

Behind damage it goes on at the next batch that the damaged one's length leads to, or else that the index knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from broker.log.segment import Segment
from broker.protocol.batches import (
    HEADER_SIZE,
    LENGTH_OVERHEAD,
    BatchHeader,
    CorruptBatchError,
    checksum,
    read_header,
)

CHUNK_BYTES = 1_048_576


class Sound(NamedTuple):
    """A batch as it was written."""

    position: int
    header: BatchHeader
    batch: bytes


class Damage(NamedTuple):
    """Bytes from `position` to before `end` that are no sound batch."""

    position: int
    end: int
    problem: str
    path: Path

    @property
    def text(self) -> str:
        return (
            f"{self.path}: no sound batch at position {self.position} ({self.problem}); "
            f"{self.end - self.position} bytes are left out"
        )


def salvage(segment: Segment, end_offset: int | None = None) -> Iterator[Sound | Damage]:
    """Everything in the first `segment.size` bytes, in order. `end_offset`: no batch ends behind it; None: not known.

    Raises OSError.
    """
    position, size = 0, segment.size
    next_offset = segment.base_offset
    chunk, chunk_start = b"", 0
    while position < size:
        if position - chunk_start + HEADER_SIZE > len(chunk):
            chunk, chunk_start = segment.read(position, min(CHUNK_BYTES, size - position)), position
        problem, end = "it is cut off", size
        if position - chunk_start + HEADER_SIZE <= len(chunk):
            header = read_header(chunk, position - chunk_start)
            end = position + header.length + LENGTH_OVERHEAD
            problem = header_problem(header, position, end, size, next_offset)
            if not problem:
                if end > chunk_start + len(chunk):
                    chunk, chunk_start = segment.read(position, max(CHUNK_BYTES, end - position)), position
                batch = chunk[position - chunk_start : end - chunk_start]
                if len(batch) < end - position or checksum(batch) != header.crc:
                    problem = "its checksum is wrong"
                elif runs_over(segment, header, end, next_offset, end_offset, memoryview(chunk)[end - chunk_start :]):
                    problem = f"its offset is {header.base_offset}"
                else:
                    next_offset = header.base_offset + header.last_offset_delta + 1
                    yield Sound(position, header, batch)
                    position = end
                    continue
        end = resume(segment, position, end, next_offset)
        yield Damage(position, end, problem, segment.path)
        position = end


def runs_over(
    segment: Segment, header: BatchHeader, end: int, next_offset: int, end_offset: int | None, start: memoryview | bytes
) -> bool:
    """Whether a batch's offsets, which its checksum does not cover, reach into those of the batch behind it, which
    begins at position `end`, or beyond `end_offset`. `start`: what was read from `end` on."""
    if end_offset is not None and header.base_offset + header.last_offset_delta >= end_offset:
        return True
    if header.base_offset == next_offset:
        return False  # it follows the one before it: the other one's offset is wrong
    if len(start) < HEADER_SIZE:
        start = segment.read(end, HEADER_SIZE) if end + HEADER_SIZE <= segment.size else b""
        if len(start) < HEADER_SIZE:
            return False
    following = read_header(start)
    behind = header.base_offset + header.last_offset_delta + 1
    if following.base_offset >= behind:
        return False
    return not header_problem(following, end, end + following.length + LENGTH_OVERHEAD, segment.size, next_offset)


def headers_around_damage(
    segment: Segment, position: int, report: Callable[[CorruptBatchError], None]
) -> Iterator[tuple[int, BatchHeader]]:
    """`Segment.headers`, which goes on behind damage that it reports. Checksums are not looked at."""
    while position < segment.size:
        try:
            for at, header in segment.headers(position):
                position = at
                yield at, header
                position += header.length + LENGTH_OVERHEAD
            return
        except CorruptBatchError as error:
            report(error)
            position = resume(segment, position, position, segment.base_offset)


def header_problem(header: BatchHeader, position: int, end: int, size: int, next_offset: int) -> str:
    """What is wrong with a header; "": nothing that shows."""
    if header.magic != 2:
        return f"its format is {header.magic}"
    if not position + HEADER_SIZE <= end <= size:
        return f"its length is {header.length}"
    if header.base_offset < next_offset or header.last_offset_delta < 0:
        return f"its offset is {header.base_offset}"
    return ""


def resume(segment: Segment, position: int, end: int, next_offset: int) -> int:
    """Where to go on behind damage: a position at which a header stands that leads on, or the segment's end."""
    if position < end < segment.size and leads_on(segment, end, next_offset):
        return end
    while (position := segment.offset_index.position_behind(position)) >= 0:
        if leads_on(segment, position, next_offset):
            return position
    return segment.size


def leads_on(segment: Segment, position: int, next_offset: int) -> bool:
    start = segment.read(position, HEADER_SIZE)
    if len(start) < HEADER_SIZE:
        return False
    header = read_header(start)
    return not header_problem(header, position, position + header.length + LENGTH_OVERHEAD, segment.size, next_offset)
