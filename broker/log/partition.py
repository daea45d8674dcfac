"""The log of one partition: segments in order of offset, the producers' state, and those who wait for more.

Everything happens in the event loop's thread. A batch is checked from its header, gets its offset patched in, and goes
to the file as it came; it is visible to consumers (`high_watermark`) when it is as durable as the broker promises.

Source: `UnifiedLog`, `LogValidator` of Apache Kafka.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from kio.schema.errors import ErrorCode

from broker.files import sync_directory, write_atomically
from broker.log.errors import AppendRefused
from broker.log.producers import SEQUENCE_MASK, ProducerStates
from broker.log.recovery_point import INTERVAL_BYTES, save_recovery_point
from broker.log.segment import Segment
from broker.log.validation import check_contents, check_header
from broker.protocol.batches import (
    HEADER_SIZE,
    LENGTH_OVERHEAD,
    NO_TIMESTAMP,
    assigned,
    decode_batch,
    header_struct,
    walk,
)
from broker.topics.config import TopicConfig

START_FILE = "log-start-offset"
"""Holds the log's start where records were deleted in the midst of a segment."""
LEADER_EPOCH = 0
"""One node never elects anew."""
MAX_POSITION = 2**31 - 1
READ_HINTS = 64
REPLAY_BYTES = 1_048_576


class Waiter(Protocol):
    """A fetch that waits for more bytes."""

    def more(self, size: int) -> None:
        """That many bytes became visible. Must not change `PartitionLog.waiters` within the call."""
        ...

    def gone(self) -> None:
        """The partition was deleted."""
        ...


class Pending(NamedTuple):
    """The state of a log at a moment: end offset, active segment, position in it, and bytes new since the last one."""

    end_offset: int
    segment: Segment
    position: int
    size: int


class PartitionLog:
    """One partition. Made by `recovery.open_log`."""

    def __init__(
        self,
        *,
        topic: str,
        partition: int,
        directory: Path,
        config: TopicConfig,
        segments: list[Segment],
        producers: ProducerStates,
        end_offset: int,
        start_offset: int,
        durable: bool,
        internal: bool,
        clock: Callable[[], int],
    ) -> None:
        self.topic = topic
        self.partition = partition
        self.directory = directory
        self.config = config
        self.segments = segments
        """In order of base offset; never empty; the last one is written to."""
        self.active = segments[-1]
        self.producers = producers
        self.start_offset = start_offset
        self.end_offset = end_offset
        """Offset the next record gets."""
        self.high_watermark = end_offset
        """Consumers see what lies below."""
        self.visible_end = (self.active.base_offset, self.active.size)
        """Base offset of a segment and the position in it that correspond to the high watermark."""
        self.durable = durable
        """Whether appended batches wait for `commit` (fsync=always) or are visible at once."""
        self.internal = internal
        """Clients must not write to it."""
        self.clock = clock
        self.unsynced = 0
        """Bytes appended since the last `pending`."""
        self.waiters: set[Waiter] = set()
        self.hints: dict[int, int] = {}
        """Offset → position of its batch: where sequential readers go on."""
        self.failed: OSError | None = None
        """The storage error after which the partition takes no more writes."""
        self.released = False
        """Closed, or deleted."""

    @property
    def name(self) -> str:
        return f"{self.topic}-{self.partition}"

    @property
    def size(self) -> int:
        """Bytes in all segments."""
        return sum(segment.size for segment in self.segments)

    # -- append ------------------------------------------------------------------------------------------------------
    def append(self, batch: bytearray | memoryview) -> tuple[int, int]:
        """Appends one batch from a producer; its base offset and epoch are patched in place.

        Returns (base offset, log append time in ms or -1); for a batch that is already there, where it is.
        Raises AppendRefused (nothing written) or OSError (the storage failed; the log is as before).
        """
        size = len(batch)
        if size < HEADER_SIZE:
            raise AppendRefused(ErrorCode.corrupt_message, f"A batch of {size} bytes is shorter than its header")
        header = header_struct.unpack_from(batch)
        check_header(header, batch, self.config, self.name)
        _, _, _, _, _, _, last_delta, _, timestamp, producer_id, epoch, sequence, _ = header
        config = self.config
        now = self.clock()
        if config.log_append_time or config.compacted or config.timestamp_before_max_ms < now:
            timestamp = check_contents(batch, config, now)
        elif timestamp > now + config.timestamp_after_max_ms:
            raise AppendRefused(
                ErrorCode.invalid_timestamp,
                f"Timestamp {timestamp} of batch is out of range: more than {config.timestamp_after_max_ms} ms "
                f"after the broker's clock {now} (message.timestamp.after.max.ms)",
            )
        append_time = timestamp if config.log_append_time else NO_TIMESTAMP
        if producer_id >= 0:
            if sequence < 0:
                raise AppendRefused(ErrorCode.invalid_record, "A batch with a producer id needs a base sequence")
            last_sequence = (sequence + last_delta) & SEQUENCE_MASK
            known = self.producers.check(producer_id, epoch, sequence, last_sequence)
            if known is not None:
                return known[0], known[1] if config.log_append_time else NO_TIMESTAMP
            offset = self.write(batch, size, last_delta, timestamp)
            self.producers.note(producer_id, epoch, sequence, last_sequence, offset, now)
        else:
            offset = self.write(batch, size, last_delta, timestamp)
        return offset, append_time

    def append_own(self, batch: bytearray) -> int:
        """Appends a batch the broker built itself, unchecked; returns its base offset. Raises OSError."""
        header = header_struct.unpack_from(batch)
        return self.write(batch, len(batch), header[6], header[8])

    def write(self, batch: bytearray | memoryview, size: int, last_delta: int, timestamp: int) -> int:
        """Assigns the offset and writes; rolls the segment if it is full."""
        if self.failed is not None:
            raise self.failed
        offset = self.end_offset
        segment = self.active
        position = segment.size
        config = self.config
        if position and (
            position + size > config.segment_bytes
            or (timestamp - segment.first_timestamp > config.segment_ms and segment.first_timestamp >= 0)
            or position + size > MAX_POSITION
            or offset + last_delta - segment.base_offset > MAX_POSITION
        ):
            segment = self.roll()
        elif position - segment.saved_to >= INTERVAL_BYTES:
            save_recovery_point(self)
        assigned.pack_into(batch, 0, offset, size - LENGTH_OVERHEAD, LEADER_EPOCH)
        segment.append(batch, size, offset, offset + last_delta, timestamp, config.index_interval_bytes)
        self.end_offset = offset + last_delta + 1
        if not self.durable:
            self.high_watermark = self.end_offset
            if self.waiters:
                for waiter in self.waiters:
                    waiter.more(size)
        else:
            self.unsynced += size
        return offset

    def pending(self) -> Pending:
        """What an fdatasync begun now would make durable; the active segment is the only one it has to reach."""
        pending = Pending(self.end_offset, self.active, self.active.size, self.unsynced)
        self.unsynced = 0
        return pending

    def commit(self, pending: Pending) -> None:
        """That much is durable now: make it visible and tell who waits for it."""
        self.high_watermark = pending.end_offset
        self.visible_end = pending.segment.base_offset, pending.position
        for waiter in self.waiters:
            waiter.more(pending.size)

    def roll(self) -> Segment:
        """Seals the active segment and starts the next one at the log's end. Raises OSError."""
        sealed = self.active
        if self.durable:
            sealed.sync()
        sealed.write_indexes()
        self.write_snapshot()
        segment = Segment(self.directory, self.end_offset)
        segment.open()
        if self.durable:
            sync_directory(self.directory)
        self.segments.append(segment)
        self.active = segment
        sealed.close()
        self.hints.clear()  # the log's end is in the new segment now
        return segment

    def write_snapshot(self) -> None:
        """Writes the producers' state as of the log's end; keeps the newest two, and that of the active segment's
        start, which is good even if all of that segment has to be scanned."""
        if self.end_offset:
            path = self.directory / f"{self.end_offset:020}.snapshot"
            path.write_bytes(self.producers.encode())
        for old in sorted(self.directory.glob("*.snapshot"))[:-2]:
            if int(old.stem) != self.active.base_offset:
                old.unlink()

    # -- read --------------------------------------------------------------------------------------------------------
    def read(self, offset: int, max_bytes: int, *, at_least_one: bool) -> bytes:
        """Whole batches from the one that contains `offset` on, visible ones, of one segment, up to `max_bytes`.

        With `at_least_one` the first batch comes even if it is larger. Empty at the high watermark. The caller has
        checked start_offset <= offset <= high_watermark. Raises OSError.
        """
        if offset >= self.high_watermark:
            return b""
        number = len(self.segments) - 1
        if offset < self.active.base_offset:
            number = bisect_right(self.segments, offset, key=base_offset) - 1
        position = self.hints.pop(offset, -1)
        segment = self.segments[number]
        if position < 0:
            position = segment.locate(offset)
        while True:
            segment = self.segments[number]
            limit = self.visible_size(segment)
            if position < limit:
                break
            number += 1
            if number == len(self.segments):
                return b""
            position = 0
        last = number == len(self.segments) - 1
        if limit - position <= max_bytes:
            end = limit
            following = self.high_watermark if last or limit < segment.size else self.segments[number + 1].base_offset
        else:
            end, following = segment.boundary(position, position + max_bytes)
            if end == position:
                if not at_least_one:
                    return b""
                end, following = segment.boundary(position, position + first_batch_size(segment, position))
        at_next = end == segment.size and not last
        # After compaction there may be a gap before the next segment, and an offset in it belongs to this one.
        self.remember(*((self.segments[number + 1].base_offset, 0) if at_next else (following, end)))
        records = segment.read(position, end - position)
        if end == segment.size and not last:
            segment.close()  # readers go on in the next one; thousands of open files are too many
        return records

    def visible_size(self, segment: Segment) -> int:
        """Bytes of a segment below the high watermark."""
        if not self.durable:
            return segment.size
        base, position = self.visible_end
        if segment.base_offset < base:
            return segment.size
        return position if segment.base_offset == base else 0

    def remember(self, offset: int, position: int) -> None:
        """Keeps where a reader that stopped before `offset` will go on."""
        if len(self.hints) >= READ_HINTS:
            del self.hints[next(iter(self.hints))]
        self.hints[offset] = position

    def read_batches(self, start: int) -> Iterator[bytes]:
        """Whole batches, one by one, from the one that contains `start` up to the high watermark. Raises OSError."""
        offset = max(start, self.start_offset)
        while offset < self.high_watermark:
            chunk = self.read(offset, REPLAY_BYTES, at_least_one=True)
            if not chunk:
                return
            for position, size in walk(chunk):
                batch = chunk[position : position + size]
                header = header_struct.unpack_from(batch)
                offset = header[0] + header[6] + 1
                yield batch

    # -- search ------------------------------------------------------------------------------------------------------
    def offset_for_timestamp(self, timestamp: int) -> tuple[int, int] | None:
        """(offset, timestamp) of the first visible record whose timestamp is at or above, or None."""
        for segment in self.segments:
            if segment.max_timestamp < timestamp:
                continue
            relative = segment.time_index.offset_before(timestamp)
            for position, header in segment.headers(segment.offset_index.position_at_or_before(relative)):
                if header.base_offset >= self.high_watermark:
                    return None
                if header.max_timestamp < timestamp:
                    continue
                for record in decode_batch(segment.read(position, header.length + LENGTH_OVERHEAD)):
                    if record.timestamp >= timestamp and record.offset >= self.start_offset:
                        return record.offset, record.timestamp
        return None

    def offset_of_max_timestamp(self) -> tuple[int, int] | None:
        """(offset, timestamp) of the first record among those with the largest timestamp, or None in an empty log."""
        largest = max((segment.max_timestamp for segment in self.segments), default=-1)
        return self.offset_for_timestamp(largest) if largest >= 0 else None

    # -- retention ---------------------------------------------------------------------------------------------------
    def retain(self, now: int) -> int:
        """Drops the segments that time or size have outlived; returns how many. Raises OSError."""
        config = self.config
        if not config.deleted:
            return 0
        dropped = 0
        if config.retention_ms >= 0:
            while self.expired(self.segments[0], now - config.retention_ms):
                if len(self.segments) == 1:
                    self.roll()
                self.drop_first()
                dropped += 1
        if config.retention_bytes >= 0:
            surplus = self.size - config.retention_bytes
            while len(self.segments) > 1 and surplus >= self.segments[0].size:
                surplus -= self.segments[0].size
                self.drop_first()
                dropped += 1
        return dropped

    def expired(self, segment: Segment, before: int) -> bool:
        visible = segment is not self.active or self.high_watermark == self.end_offset
        return (segment is not self.active or bool(segment.size)) and visible and segment.age_from() < before

    def delete_before(self, offset: int) -> None:
        """Makes the log start at an offset (not above the high watermark); whole segments below it go at once.

        Raises OSError.
        """
        if offset <= self.start_offset:
            return
        write_atomically(self.directory / START_FILE, str(offset).encode(), durable=self.durable)
        self.start_offset = offset
        if offset == self.end_offset and self.active.size:
            self.roll()
        while len(self.segments) > 1 and self.segments[1].base_offset <= offset:
            self.drop_first()

    def drop_first(self) -> None:
        """Removes the oldest segment; the log starts at the next one."""
        self.segments.pop(0).delete()
        self.start_offset = max(self.start_offset, self.segments[0].base_offset)
        self.hints.clear()

    # -- end ---------------------------------------------------------------------------------------------------------
    def close(self, *, sync: bool) -> None:
        """Writes indexes and producer state so that the next start need not scan; `sync`: make batches durable."""
        if self.failed is None:
            if sync and self.active.size:
                self.active.sync()
            if self.active.size or self.end_offset:
                self.active.write_indexes()
            self.write_snapshot()
        self.release()

    def release(self) -> None:
        """Closes files, and tells waiting fetches."""
        self.released = True
        for segment in self.segments:
            segment.close()
        for waiter in list(self.waiters):
            waiter.gone()
        self.waiters.clear()


def base_offset(segment: Segment) -> int:
    return segment.base_offset


def first_batch_size(segment: Segment, position: int) -> int:
    for _, header in segment.headers(position):
        return header.length + LENGTH_OVERHEAD
    raise AssertionError("no batch where one was located")
