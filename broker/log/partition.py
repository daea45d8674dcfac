"""The log of one partition: segments in order of offset, the producers' state, and those who wait for more.

Everything happens in the event loop's thread. A batch is checked from its header, gets its offset patched in, and goes
to the file as it came; it is visible to consumers (`high_watermark`) when it is as durable as the broker promises.

Source: `UnifiedLog`, `LogValidator` of Apache Kafka.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from kio.schema.errors import ErrorCode

from broker.files import sync_directory, write_fields
from broker.log.aborted import AbortedTransaction, AbortedTransactions
from broker.log.contents import check_contents
from broker.log.errors import AppendRefused
from broker.log.last_stable_offset import LastStableOffset
from broker.log.leader_epochs import LeaderEpochs
from broker.log.open_files import OpenFiles
from broker.log.producer_snapshot import encode_snapshot
from broker.log.producers import SEQUENCE_MASK, ProducerStates
from broker.log.reader import LogReader
from broker.log.recovery_point import INTERVAL_BYTES, save_recovery_point
from broker.log.segment import Segment
from broker.log.validation import check_header
from broker.log.waiter import Waiter
from broker.protocol.batches import (
    HEADER_SIZE,
    LENGTH_OVERHEAD,
    LOG_APPEND_TIME,
    NO_TIMESTAMP,
    TRANSACTIONAL,
    assigned,
    header_struct,
    read_header,
)
from broker.protocol.checksum import crc32c
from broker.protocol.control import is_commit
from broker.topics.config import TopicConfig

START_FILE = "log-start-offset"
"""Holds the log's start, {"offset": …}, where records were deleted in the midst of a segment."""
MAX_POSITION = 2**31 - 1


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
        aborted: AbortedTransactions,
        epochs: LeaderEpochs,
        end_offset: int,
        start_offset: int,
        shortened: bool,
        files: OpenFiles | None,
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
        self.aborted = aborted
        self.epochs = epochs
        self.leader_epoch = 0
        """Of the batches to come; set by `lead`."""
        self.shortened = shortened
        """Whether the log was found to end earlier than it once did."""
        self.files = files
        self.start_offset = start_offset
        self.end_offset = end_offset
        """Offset the next record gets."""
        self.high_watermark = end_offset
        """Consumers see what lies below."""
        self.visible_end = (self.active.base_offset, self.active.size)
        """Base offset of a segment and the position in it that correspond to the high watermark."""
        self.stable = LastStableOffset(producers, end_offset)
        self.durable = durable
        """Whether appended batches wait for `commit` (fsync=always) or are visible at once."""
        self.internal = internal
        """Clients must not write to it."""
        self.clock = clock
        self.unsynced = 0
        """Bytes appended since the last `pending`."""
        self.appended = 0
        """Bytes appended since the log was opened."""
        self.visible_bytes = 0
        """Those of them below the high watermark."""
        self.waiters: set[Waiter] = set()
        self.failed: OSError | None = None
        """The storage error after which the partition takes no more writes."""
        self.reader = LogReader(self)
        self.released = False
        """Closed, or deleted."""

    @property
    def name(self) -> str:
        return f"{self.topic}-{self.partition}"

    @property
    def size(self) -> int:
        """Bytes in all segments."""
        return sum(segment.size for segment in self.segments)

    def lead(self, epoch: int) -> None:
        """What is appended from here on is of that leader epoch."""
        self.leader_epoch = epoch
        self.epochs.assign(epoch, self.end_offset)

    def check_epoch(self, known: int) -> ErrorCode:
        """What a client is answered that takes the leader epoch to be `known`; -1: it does not say."""
        if known < 0 or known == self.leader_epoch:
            return ErrorCode.none
        return ErrorCode.fenced_leader_epoch if known < self.leader_epoch else ErrorCode.unknown_leader_epoch

    # -- append ------------------------------------------------------------------------------------------------------
    def append(self, batch: bytearray | memoryview, *, transactional: bool = False) -> tuple[int, int]:
        """Appends one batch from a producer; its base offset and epoch are patched in place.

        `transactional`: the coordinator knows of a transaction of its producer that includes this partition.
        Returns (base offset, log append time in ms or -1); for a batch that is already there, where it is.
        Raises AppendRefused (nothing written) or OSError (the storage failed; the log is as before).
        """
        size = len(batch)
        if size < HEADER_SIZE:
            raise AppendRefused(ErrorCode.invalid_record, f"A batch of {size} bytes is shorter than its header")
        header = header_struct.unpack_from(batch)
        _, _, _, _, _, attributes, last_delta, _, timestamp, producer_id, epoch, sequence, _ = header
        if attributes & TRANSACTIONAL and not transactional:
            # As Kafka, which looks for a right to the transactional id and finds none, whatever else is wrong.
            raise AppendRefused(
                ErrorCode.transactional_id_authorization_failed,
                f"A transactional batch came to {self.name} without a transactional id",
            )
        config = self.config
        check_header(header, batch, config, self.name)
        now = self.clock()
        if (
            config.checks_contents
            or config.timestamp_before_max_ms < now
            or timestamp > now + config.timestamp_after_max_ms
            or attributes & LOG_APPEND_TIME
        ):
            batch, timestamp = check_contents(batch, config, now, self.name)
            size = len(batch)
        append_time = timestamp if config.log_append_time else NO_TIMESTAMP
        if producer_id >= 0:
            last_sequence = (sequence + last_delta) & SEQUENCE_MASK
            known = self.producers.check(producer_id, epoch, sequence, last_sequence)
            if known is not None:
                return known[0], known[1] if config.log_append_time else NO_TIMESTAMP
            if not attributes & TRANSACTIONAL and producer_id in self.producers.open:
                raise AppendRefused(
                    ErrorCode.invalid_txn_state, f"Expected transactional write from producer {producer_id}"
                )
            offset = self.write(batch, size, last_delta, timestamp)
            self.producers.note(producer_id, epoch, sequence, last_sequence, offset, now)
            if attributes & TRANSACTIONAL:
                self.producers.begin(producer_id, offset, self.appended - size)
        else:
            offset = self.write(batch, size, last_delta, timestamp)
        self.publish(size)
        return offset, append_time

    def append_own(self, batch: bytearray) -> int:
        """Appends records of the broker's own, in a transaction or not, unchecked; returns their base offset.

        Raises OSError.
        """
        header = read_header(batch)
        offset = self.write(batch, len(batch), header.last_offset_delta, header.max_timestamp)
        if header.attributes & TRANSACTIONAL:
            self.producers.seen(header.producer_id, header.producer_epoch, self.clock())
            self.producers.begin(header.producer_id, offset, self.appended - len(batch))
        self.publish(len(batch))
        return offset

    def append_marker(self, batch: bytearray, coordinator_epoch: int = 0) -> None:
        """Appends a control batch: the transaction of its producer ends here. Raises OSError."""
        header = read_header(batch)
        offset = self.write(batch, len(batch), header.last_offset_delta, header.max_timestamp)
        ended = self.producers.end(header.producer_id, header.producer_epoch, self.clock(), coordinator_epoch)
        if ended is not None:
            self.stable.decide(ended, offset)
            if not is_commit(batch):
                following = self.producers.first_unstable(offset + 1)
                self.aborted.add(AbortedTransaction(header.producer_id, ended.first_offset, offset, following))
        self.publish(len(batch))

    def write(self, batch: bytearray | memoryview, size: int, last_delta: int, timestamp: int) -> int:
        """Assigns the offset and writes; rolls the segment if it is full. What is written is not visible yet."""
        if self.failed is not None:
            raise self.failed
        offset = self.end_offset
        segment = self.active
        position = segment.size
        config = self.config
        if position and (
            position + size > config.segment_bytes
            or (
                (timestamp - segment.first_timestamp > config.least_segment_ms or segment.first_timestamp < 0)
                and self.outlasted(segment, timestamp)
            )
            or position + size > MAX_POSITION
            or offset + last_delta - segment.base_offset > MAX_POSITION
        ):
            segment = self.roll()
        elif position - segment.saved_to >= INTERVAL_BYTES:
            save_recovery_point(self)
        assigned.pack_into(batch, 0, offset, size - LENGTH_OVERHEAD, self.leader_epoch)
        segment.append(batch, size, offset, offset + last_delta, timestamp, config.index_interval_bytes)
        self.end_offset = offset + last_delta + 1
        self.appended += size
        return offset

    def publish(self, size: int) -> None:
        """What was written becomes visible, or waits for `commit`."""
        if self.durable:
            self.unsynced += size
            return
        self.high_watermark = self.end_offset
        self.visible_bytes += size
        self.stable.advance(self.high_watermark, self.visible_bytes)
        if self.waiters:
            for waiter in self.waiters:
                waiter.more(size)

    def outlasted(self, segment: Segment, timestamp: int) -> bool:
        """Whether a segment is too old for a batch: by their records' timestamps, by the clock if it has none.

        `segment.jitter.ms` shortens the time, by a part that is the segment's own, so that not all logs roll at once.
        """
        config = self.config
        age = timestamp - segment.first_timestamp
        if segment.first_timestamp < 0:
            if segment.created_ms < 0:
                return False
            age = self.clock() - segment.created_ms
        limit = config.segment_ms
        if config.segment_jitter_ms:
            own = crc32c(f"{self.name}-{segment.base_offset}".encode())
            limit -= own % min(config.segment_jitter_ms, limit)
        return age > limit

    def pending(self) -> Pending:
        """What an fdatasync begun now would make durable; the active segment is the only one it has to reach."""
        pending = Pending(self.end_offset, self.active, self.active.size, self.unsynced)
        self.unsynced = 0
        return pending

    def commit(self, pending: Pending) -> None:
        """That much is durable now: make it visible and tell who waits for it."""
        self.high_watermark = pending.end_offset
        self.visible_end = pending.segment.base_offset, pending.position
        self.visible_bytes += pending.size
        self.stable.advance(self.high_watermark, self.visible_bytes)
        for waiter in self.waiters:
            waiter.more(pending.size)

    def roll(self) -> Segment:
        """Seals the active segment and starts the next one at the log's end. Raises OSError."""
        sealed = self.active
        if self.durable:
            sealed.sync()
        self.write_indexes(sealed)
        self.write_snapshot()
        segment = Segment(self.directory, self.end_offset, self.files, created_ms=self.clock())
        segment.open()
        if self.durable:
            sync_directory(self.directory)
        self.segments.append(segment)
        self.active = segment
        sealed.close()
        self.reader.forget()  # the log's end is in the new segment now
        return segment

    def write_indexes(self, segment: Segment) -> None:
        """Writes the index files of the segment that is written to."""
        self.aborted.write(segment.aborted_path, segment.base_offset, self.end_offset)
        self.epochs.save(self.directory)
        segment.write_indexes()

    def write_snapshot(self) -> None:
        """Writes the producers' state as of the log's end; keeps the newest two, and that of the active segment's
        start, which is good even if all of that segment has to be scanned."""
        if self.end_offset:
            path = self.directory / f"{self.end_offset:020}.snapshot"
            path.write_bytes(encode_snapshot(self.producers))
        for old in sorted(self.directory.glob("*.snapshot"))[:-2]:
            if int(old.stem) != self.active.base_offset:
                old.unlink()

    # -- retention ---------------------------------------------------------------------------------------------------
    def delete_before(self, offset: int) -> None:
        """Makes the log start at an offset (not above the high watermark); whole segments below it go at once.

        Raises OSError.
        """
        if offset <= self.start_offset:
            return
        write_fields(self.directory / START_FILE, {"offset": offset}, durable=self.durable)
        self.start_offset = offset
        if offset == self.end_offset and self.active.size:
            self.roll()
        while len(self.segments) > 1 and self.segments[1].base_offset <= offset:
            self.drop_first()

    def forget_aborted(self, end: int) -> None:
        """No data of aborted transactions is left below an offset, at which a segment begins or all of one is cleaned:
        consumers need not be told of them, nor find their markers. Raises OSError, and then all are still known."""
        left = AbortedTransactions()
        left.entries = [entry for entry in self.aborted.entries if entry.last_offset >= end]
        if len(left.entries) == len(self.aborted.entries):
            return
        for segment, following in pairwise(self.segments):
            if segment.base_offset < end:
                left.write(segment.aborted_path, segment.base_offset, following.base_offset)
        self.aborted.entries = left.entries

    def drop_first(self) -> None:
        """Removes the oldest segment; the log starts at the next one."""
        self.segments.pop(0).delete()
        self.start_offset = max(self.start_offset, self.segments[0].base_offset)
        self.aborted.forget_before(self.start_offset)
        self.epochs.forget_before(self.start_offset)
        self.reader.forget()

    # -- end ---------------------------------------------------------------------------------------------------------
    def close(self, *, sync: bool) -> None:
        """Writes indexes and producer state so that the next start need not scan; `sync`: make batches durable."""
        if self.failed is None:
            if sync and self.active.size:
                self.active.sync()
            if self.active.size or self.end_offset:
                self.write_indexes(self.active)
            self.write_snapshot()
        self.release()

    def release(self) -> None:
        """Closes files, and tells waiting fetches."""
        self.released = True
        for segment in self.segments:
            segment.close()
        for waiter in (*self.waiters, *self.stable.waiters):
            waiter.gone()
        self.waiters.clear()
        self.stable.waiters.clear()
