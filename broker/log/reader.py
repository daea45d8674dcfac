"""Reading a partition's log: whole batches from an offset on, as they are in the files."""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections.abc import Iterator
from typing import TYPE_CHECKING

from broker.log.aborted import AbortedTransaction
from broker.log.salvage import Damage, salvage
from broker.log.segment import Segment
from broker.protocol.batches import LENGTH_OVERHEAD, CorruptBatchError

if TYPE_CHECKING:
    from broker.log.partition import PartitionLog

LOG = logging.getLogger("broker.log")
READ_HINTS = 64


class LogReader:
    """Owned by its partition log. Remembers where sequential readers will go on."""

    def __init__(self, log: PartitionLog) -> None:
        self.log = log
        self.hints: dict[int, int] = {}
        """Offset → position of its batch, in the segment that the offset belongs to."""
        self.stable_position: tuple[int, Segment | None, int] = (-1, None, 0)
        """An offset below the high watermark, the segment it is in, and its position: where read_committed ends."""
        self.reported: set[str] = set()
        """Damage that the broker's log has told of."""

    def forget(self) -> None:
        """Segments were replaced, added or removed."""
        self.hints.clear()
        self.stable_position = (-1, None, 0)

    def report(self, error: CorruptBatchError) -> None:
        """Logs damage, once for each place, however often clients meet it."""
        if str(error) not in self.reported:
            self.reported.add(str(error))
            LOG.error("%s: %s; see `headrace broker verify`", self.log.name, error)

    def read(self, offset: int, max_bytes: int, *, at_least_one: bool) -> bytes:
        """Whole batches from the one that contains `offset` on, visible ones, of one segment, up to `max_bytes`.

        With `at_least_one` the first batch comes even if it is larger. Empty at the high watermark. The caller has
        checked start_offset <= offset <= high_watermark. Raises OSError, and CorruptBatchError where the way to the
        batch, or to where it ends, leads through damage. Otherwise damage is served: the client's checksum finds it.
        """
        return self.read_below(self.log.high_watermark, offset, max_bytes, at_least_one=at_least_one)[0]

    def read_committed(
        self, offset: int, max_bytes: int, *, at_least_one: bool
    ) -> tuple[bytes, list[AbortedTransaction]]:
        """As `read`, but up to the last stable offset, and with the aborted transactions to leave out of it."""
        log = self.log
        records, end = self.read_below(log.stable.offset, offset, max_bytes, at_least_one=at_least_one)
        return records, log.aborted.overlapping(offset, end) if records and log.aborted.entries else []

    def read_below(self, bound: int, offset: int, max_bytes: int, *, at_least_one: bool) -> tuple[bytes, int]:
        """Batches below `bound`, which is the high watermark or the last stable offset, and the offset they end at."""
        if offset >= bound:
            return b"", offset
        log = self.log
        number = len(log.segments) - 1
        if offset < log.active.base_offset:
            number = bisect_right(log.segments, offset, key=base_offset) - 1
        position = self.hints.pop(offset, -1)
        segment = log.segments[number]
        if position < 0:
            position = segment.locate(offset)
        while True:
            segment = log.segments[number]
            last = number == len(log.segments) - 1
            limit = self.size_below(bound, segment, None if last else log.segments[number + 1])
            if position < limit:
                break
            number += 1
            if last:
                return b"", offset
            position = 0
        if limit - position <= max_bytes:
            end = limit
            following = bound if last or limit < segment.size else log.segments[number + 1].base_offset
        else:
            end, following = segment.boundary(position, position + max_bytes)
            if end == position:
                if not at_least_one:
                    return b"", offset
                end, following = segment.boundary(position, position + first_batch_size(segment, position))
        at_next = end == segment.size and not last
        # After compaction there may be a gap before the next segment, and an offset in it belongs to this one.
        self.remember(*((log.segments[number + 1].base_offset, 0) if at_next else (following, end)))
        records = segment.read(position, end - position)
        if end == segment.size and not last:
            segment.close()  # readers go on in the next one; thousands of open files are too many
        return records, following

    def size_below(self, bound: int, segment: Segment, following: Segment | None) -> int:
        """Bytes of a segment below the high watermark or the last stable offset; `following`: the next segment."""
        log = self.log
        if bound < log.high_watermark:
            if segment.base_offset >= bound:
                return 0
            if following is not None and following.base_offset <= bound:
                return segment.size
            if self.stable_position[:2] != (bound, segment):
                self.stable_position = bound, segment, segment.locate(bound)
            return self.stable_position[2]
        if not log.durable:
            return segment.size
        base, position = log.visible_end
        if segment.base_offset < base:
            return segment.size
        return position if segment.base_offset == base else 0

    def remember(self, offset: int, position: int) -> None:
        """Keeps where a reader that stopped before `offset` will go on."""
        if len(self.hints) >= READ_HINTS:
            del self.hints[next(iter(self.hints))]
        self.hints[offset] = position

    def read_batches(self, start: int) -> Iterator[bytes]:
        """Whole batches, one by one, from the one that contains `start` up to the high watermark, for the broker's own
        use: with sound checksums; what is damaged is logged and left out. Raises OSError."""
        log = self.log
        start = max(start, log.start_offset)
        segments = list(log.segments)
        for segment, end in zip(segments, [*(one.base_offset for one in segments[1:]), log.end_offset]):
            if end <= start:
                continue
            for found in salvage(segment, end):
                if isinstance(found, Damage):
                    self.report(CorruptBatchError(found.text))
                elif found.header.base_offset >= log.high_watermark:
                    return
                elif found.header.base_offset + found.header.last_offset_delta >= start:
                    yield found.batch


def base_offset(segment: Segment) -> int:
    return segment.base_offset


def first_batch_size(segment: Segment, position: int) -> int:
    for _, header in segment.headers(position):
        return header.length + LENGTH_OVERHEAD
    raise AssertionError("no batch where one was located")
