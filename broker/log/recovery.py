"""Opening the log of a partition: what a clean shutdown left is trusted, what a crash left is scanned.

After a crash the last segment from its recovery point on, and any sealed one without sound index files, is read batch
by batch; the log ends before the first batch that is incomplete, damaged or out of order, and what follows is cut off.
Index files are written after the batches of a sealed segment are durable, so their presence vouches for it.

Source: `LogLoader`, `LogSegment.recover` of Apache Kafka.
"""

from __future__ import annotations

import logging
import mmap
from collections.abc import Callable
from pathlib import Path

from broker.files import sync_directory
from broker.log.aborted import AbortedTransactions
from broker.log.index import IndexFileError
from broker.log.partition import START_FILE, PartitionLog
from broker.log.producer_recovery import recover_producers
from broker.log.recovery_point import RecoveryPoint, read_recovery_point
from broker.log.segment import Segment
from broker.log.swap import recover_swaps
from broker.protocol.batches import HEADER_SIZE, LENGTH_OVERHEAD, BatchHeader, checksum, read_header
from broker.topics.config import TopicConfig

MAX_RELATIVE_OFFSET = 2**31 - 1
LOG = logging.getLogger("broker.log")


def open_log(
    *,
    topic: str,
    partition: int,
    directory: Path,
    config: TopicConfig,
    durable: bool,
    internal: bool,
    trusted: bool,
    clock: Callable[[], int],
) -> PartitionLog:
    """Opens or creates the log in a directory. `trusted`: the broker was shut down cleanly. Raises OSError."""
    directory.mkdir(parents=True, exist_ok=True)
    recover_swaps(directory, durable=durable)
    bases = sorted(int(path.stem) for path in directory.glob("*.log"))
    segments = [Segment(directory, base) for base in bases or [0]]
    if not bases:
        segments[0].open()
        if durable:
            sync_directory(directory)
    end_offset = segments[0].base_offset
    point = None if trusted else usable_point(directory, segments[-1])
    for number, segment in enumerate(segments):
        last = number == len(segments) - 1
        whole, end_offset = load(segment, config, last=last, trusted=trusted, point=point)
        if last:
            break
        if not whole or end_offset > segments[number + 1].base_offset:
            LOG.warning("%s: the log ends at offset %d; later segments are dropped", directory.name, end_offset)
            for lost in segments[number + 1 :]:
                lost.delete()
            del segments[number + 1 :]
            break
        end_offset = segments[number + 1].base_offset
    for path in directory.glob("*.snapshot"):
        if int(path.stem) > end_offset:
            path.unlink()
    aborted = AbortedTransactions()
    if trusted:
        complete_to = end_offset
    else:
        active = segments[-1].base_offset
        complete_to = point.offset if point is not None and point.base_offset == active else active
    producers = recover_producers(directory, segments, end_offset, aborted, complete_to=complete_to, now=clock())
    return PartitionLog(
        topic=topic,
        partition=partition,
        directory=directory,
        config=config,
        segments=segments,
        producers=producers,
        aborted=aborted,
        end_offset=end_offset,
        start_offset=start_offset(directory, segments[0].base_offset, end_offset),
        durable=durable,
        internal=internal,
        clock=clock,
    )


def start_offset(directory: Path, base_offset: int, end_offset: int) -> int:
    """Where the log starts: at its first segment, or later, where records were deleted."""
    try:
        recorded = int((directory / START_FILE).read_text())
    except (FileNotFoundError, ValueError):
        return base_offset
    return max(base_offset, min(recorded, end_offset))


def usable_point(directory: Path, active: Segment) -> RecoveryPoint | None:
    """The recovery point if it is one of the active segment, and that has not become shorter."""
    point = read_recovery_point(directory)
    if point is None or point.base_offset != active.base_offset or point.position > active.path.stat().st_size:
        return None
    return point


def load(
    segment: Segment, config: TopicConfig, *, last: bool, trusted: bool, point: RecoveryPoint | None
) -> tuple[bool, int]:
    """Fills a segment from its files; returns (nothing was cut off, offset behind its last batch).

    For a sealed segment whose indexes are sound the offset is its base offset: the next segment knows better.
    """
    if trusted or not last or point is not None:
        try:
            segment.load_indexes()
        except IndexFileError:
            pass  # no harm: the segment is scanned
        else:
            if not last:
                return True, segment.base_offset
            if trusted:
                return finish_scan(segment, config, start=segment.indexed_to, offset=segment.base_offset)
            if point is not None:
                segment.cut_indexes(point.position, point.offset)
                return finish_scan(segment, config, start=point.position, offset=point.offset)
    segment.clear()
    return finish_scan(segment, config, start=0, offset=segment.base_offset)


def finish_scan(segment: Segment, config: TopicConfig, *, start: int, offset: int) -> tuple[bool, int]:
    """Reads a segment from a batch start on, takes its batches into the indexes, and cuts off what is no batch.

    `offset`: no batch from there on has a lower one.
    """
    path = segment.path
    size = path.stat().st_size if path.exists() else 0
    next_offset = offset
    position = start
    limit = segment.base_offset + MAX_RELATIVE_OFFSET
    if size:
        descriptor = segment.open()
        with mmap.mmap(descriptor, size, access=mmap.ACCESS_READ) as content, memoryview(content) as view:
            while (header := sound_batch(view, position, size, next_offset, limit)) is not None:
                batch_size = header.length + LENGTH_OVERHEAD
                next_offset = header.base_offset + header.last_offset_delta + 1
                segment.note(
                    position, batch_size, header.base_offset, next_offset - 1, header.max_timestamp,
                    config.index_interval_bytes,
                )  # fmt: skip
                position += batch_size
    segment.size = position
    if position == size:
        return True, next_offset
    LOG.warning("%s: cut off %d bytes behind offset %d that are no whole batch", path, size - position, next_offset)
    segment.truncate_file(position)
    return False, next_offset


def sound_batch(view: memoryview, position: int, size: int, next_offset: int, limit: int) -> BatchHeader | None:
    """The header of the batch at a position if it is whole, undamaged and in order."""
    if position + HEADER_SIZE > size:
        return None
    header = read_header(view, position)
    end = position + header.length + LENGTH_OVERHEAD
    if header.magic != 2 or header.length < HEADER_SIZE - LENGTH_OVERHEAD or end > size:
        return None
    # Offsets may have gaps (compaction), but not beyond what a segment's index can hold.
    last_offset = header.base_offset + header.last_offset_delta
    if header.base_offset < next_offset or header.last_offset_delta < 0 or last_offset > limit:
        return None
    with view[position:end] as batch:
        return header if checksum(batch) == header.crc else None
