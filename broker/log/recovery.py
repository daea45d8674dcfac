"""Opening the log of a partition: what a clean shutdown left is trusted, what a crash left is scanned.

After a crash the last segment from its recovery point on, and any sealed one without sound index files, is read batch
by batch; the log ends before the first batch that is incomplete, damaged or out of order, and what follows is cut off.
Index files are written after the batches of a sealed segment are durable, so sound ones vouch for it: where such a
segment was damaged since, what is left of it and all that follows stays, and clients find the damage by its checksum.

Source: `LogLoader`, `LogSegment.recover` of Apache Kafka.
"""

from __future__ import annotations

import logging
import mmap
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from broker.files import DamagedFileError, read_fields, sync_directory
from broker.leader_epoch import MAX_EPOCH
from broker.log.aborted import AbortedTransactions
from broker.log.cleaner_offset import read_cleaner_offset
from broker.log.index import IndexFileError
from broker.log.leader_epochs import LeaderEpochs
from broker.log.open_files import OpenFiles
from broker.log.partition import START_FILE, PartitionLog
from broker.log.producer_recovery import recover_producers
from broker.log.recovery_point import RecoveryPoint, read_recovery_point
from broker.log.salvage import Damage, salvage
from broker.log.segment import Segment, ShortenedSegmentError
from broker.log.swap import recover_swaps
from broker.protocol.batches import (
    HEADER_SIZE,
    LENGTH_OVERHEAD,
    BatchHeader,
    CorruptBatchError,
    checksum,
    read_header,
)
from broker.topics.config import TopicConfig

MAX_RELATIVE_OFFSET = 2**31 - 1
LOG = logging.getLogger("broker.log")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a scan goes by."""

    index_interval_bytes: int
    cleaned_to: int
    """Below that offset compaction may have left gaps; from there on one batch follows the other."""
    last_epoch: int
    """No batch has a later leader epoch."""
    epochs: LeaderEpochs
    """Takes the epochs of what is scanned."""


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
    last_epoch: int = MAX_EPOCH,
    files: OpenFiles | None = None,
) -> PartitionLog:
    """Opens or creates the log in a directory. `trusted`: the broker was shut down cleanly; `last_epoch`: the last one
    that the broker was in. The caller tells it the epoch to `lead` in. Raises OSError."""
    directory.mkdir(parents=True, exist_ok=True)
    recover_swaps(directory, durable=durable)
    bases = segment_bases(directory)
    segments = [Segment(directory, base, files) for base in bases or [0]]
    if not bases:
        segments[0].open()
        if durable:
            sync_directory(directory)
    epochs = load_epochs(directory) if bases else LeaderEpochs()
    rules = Rules(
        index_interval_bytes=config.index_interval_bytes,
        cleaned_to=read_cleaner_offset(directory),
        last_epoch=last_epoch,
        epochs=epochs or LeaderEpochs(),
    )
    point = None if trusted else usable_point(directory, segments[-1])
    shortened = False
    for number, segment in enumerate(segments):
        last = number == len(segments) - 1
        if last:
            shortened |= not load_active(segment, rules, trusted=trusted, point=point)
        elif not load_sealed(segment, rules) or segment.next_offset > segments[number + 1].base_offset:
            LOG.warning(
                "%s: the log ends at offset %d; later segments are dropped", directory.name, segment.next_offset
            )
            for lost in segments[number + 1 :]:
                lost.delete()
            del segments[number + 1 :]
            shortened = True
            break
        if not last:
            segment.close()  # readers open it when they come; thousands of open files are too many
    end_offset = segments[-1].next_offset
    for path in directory.glob("*.snapshot"):
        if not path.stem.isdecimal() or int(path.stem) > end_offset:
            shortened |= path.stem.isdecimal()
            path.unlink()
    if epochs is None:
        walk_epochs(segments, rules.epochs)
    rules.epochs.forget_from(end_offset)
    start = start_offset(directory, segments[0].base_offset, end_offset)
    rules.epochs.forget_before(start)
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
        epochs=rules.epochs,
        end_offset=end_offset,
        start_offset=start,
        shortened=shortened,
        files=files,
        durable=durable,
        internal=internal,
        clock=clock,
    )


def segment_bases(directory: Path) -> list[int]:
    """The base offsets of the segments in a log's directory."""
    return sorted(int(path.stem) for path in directory.glob("*.log") if path.stem.isdecimal())


def start_offset(directory: Path, base_offset: int, end_offset: int) -> int:
    """Where the log starts: at its first segment, or later, where records were deleted."""
    try:
        recorded = int(read_fields(directory / START_FILE)["offset"])
    except FileNotFoundError:
        return base_offset
    except (DamagedFileError, KeyError, TypeError, ValueError) as error:
        LOG.warning("%s; the log starts with its first segment, at offset %d", error, base_offset)
        return base_offset
    return max(base_offset, min(recorded, end_offset))


def load_epochs(directory: Path) -> LeaderEpochs | None:
    """What the log's file tells; None: the batches have to be asked."""
    try:
        return LeaderEpochs.load(directory)
    except FileNotFoundError:
        return None
    except DamagedFileError as error:
        LOG.warning("%s; taken from the batches", error)
        return None


def walk_epochs(segments: list[Segment], epochs: LeaderEpochs) -> None:
    """Takes the leader epochs from the headers of all batches."""
    epochs.entries.clear()
    for segment in segments:
        try:
            for _, header in segment.headers(0):
                epochs.assign(header.leader_epoch, header.base_offset)
        except CorruptBatchError as error:
            LOG.warning("%s; leader epochs behind it are not known", error)


def usable_point(directory: Path, active: Segment) -> RecoveryPoint | None:
    """The recovery point if it is one of the active segment, and that has not become shorter."""
    point = read_recovery_point(directory)
    if point is None or point.base_offset != active.base_offset or point.position > active.path.stat().st_size:
        return None
    return point


def load_sealed(segment: Segment, rules: Rules) -> bool:
    """Fills a sealed segment from its files; whether the log goes on behind it."""
    try:
        segment.load_indexes()
    except ShortenedSegmentError as error:
        LOG.error("%s; what is left stays, see `headrace broker verify`", error)
        keep_whole_batches(segment, rules)
        return True
    except IndexFileError:
        segment.clear()
        if not finish_scan(segment, replace(rules, cleaned_to=sys.maxsize)):  # it may have been compacted
            return False
        segment.write_indexes()
    return True


def load_active(segment: Segment, rules: Rules, *, trusted: bool, point: RecoveryPoint | None) -> bool:
    """Fills the last segment from its files; whether it is as long as it was."""
    whole = True
    try:
        segment.load_indexes()
    except ShortenedSegmentError as error:
        LOG.error("%s; the log ends earlier", error)
        whole = False
    except IndexFileError:
        whole = not trusted or not segment.path.stat().st_size  # no harm: the segment is scanned
        segment.clear()
        return finish_scan(segment, rules) and whole
    if trusted and whole:
        segment.truncate_file(segment.size)
        return True
    if point is not None and whole and point.position <= segment.size:
        segment.cut_indexes(point.position, point.offset)
    else:
        segment.clear()
    return finish_scan(segment, rules) and whole


def keep_whole_batches(segment: Segment, rules: Rules) -> None:
    """Fills a segment whose file lost its end with the sound batches that are left; the file stays as it is."""
    end_offset = segment.next_offset
    segment.clear()
    segment.size = segment.path.stat().st_size
    whole_to = 0
    for one in salvage(segment):
        if isinstance(one, Damage):
            break
        position, header, batch = one
        segment.note(
            position, len(batch), header.base_offset, header.base_offset + header.last_offset_delta,
            header.max_timestamp, rules.index_interval_bytes,
        )  # fmt: skip
        whole_to = position + len(batch)
    segment.size = segment.saved_to = whole_to
    segment.next_offset = end_offset


def finish_scan(segment: Segment, rules: Rules) -> bool:
    """Reads a segment from where its indexes end, takes its batches into them, and cuts off what is no batch; whether
    there was nothing to cut off."""
    path = segment.path
    size = path.stat().st_size if path.exists() else 0
    position = segment.size
    if size:
        limit = segment.base_offset + MAX_RELATIVE_OFFSET
        descriptor = segment.open()
        with mmap.mmap(descriptor, size, access=mmap.ACCESS_READ) as content, memoryview(content) as view:
            while (header := sound_batch(view, position, size, segment.next_offset, limit, rules)) is not None:
                batch_size = header.length + LENGTH_OVERHEAD
                rules.epochs.assign(header.leader_epoch, header.base_offset)
                segment.note(
                    position, batch_size, header.base_offset, header.base_offset + header.last_offset_delta,
                    header.max_timestamp, rules.index_interval_bytes,
                )  # fmt: skip
                position += batch_size
    if position == size:
        return True
    LOG.warning(
        "%s: cut off %d bytes behind offset %d that are no whole batch", path, size - position, segment.next_offset
    )
    segment.truncate_file(position)
    return False


def sound_batch(
    view: memoryview, position: int, size: int, next_offset: int, limit: int, rules: Rules
) -> BatchHeader | None:
    """The header of the batch at a position if it is whole, undamaged and in order."""
    if position + HEADER_SIZE > size:
        return None
    header = read_header(view, position)
    end = position + header.length + LENGTH_OVERHEAD
    if header.magic != 2 or header.length < HEADER_SIZE - LENGTH_OVERHEAD or end > size:
        return None
    # The checksum covers neither the offset nor the epoch.
    last_offset = header.base_offset + header.last_offset_delta
    gap = header.base_offset - next_offset
    if gap < 0 or (gap and next_offset >= rules.cleaned_to) or header.last_offset_delta < 0 or last_offset > limit:
        return None
    if not rules.epochs.at(header.base_offset) <= header.leader_epoch <= rules.last_epoch:
        return None
    with view[position:end] as batch:
        return header if checksum(batch) == header.crc else None
