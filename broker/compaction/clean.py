"""One pass of the cleaner over the sealed segments of a log.

First the keys of the dirty part are read into the offset map; then all segments, from the log's first on, are copied
without the records that the map outdates. Neighbours that became small are put together, up to `segment.bytes`.

Source: `Cleaner.doClean`, `groupSegmentsBySize` of Apache Kafka's `LogCleaner`.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from contextlib import ExitStack
from pathlib import Path

from broker.compaction.batch_filter import AbortedData, BatchFilter
from broker.compaction.cleaning import Cleaning, Outcome, Replacement
from broker.compaction.offset_map import OffsetMap
from broker.compaction.segment_reader import SegmentReader
from broker.log.segment import Segment
from broker.protocol.batches import CONTROL, record_bytes
from broker.protocol.record_spans import record_spans

MAX_RELATIVE_OFFSET = 2**31 - 1
WRITE_BYTES = 1_048_576


class Orphaned(Exception):
    """The broker for which the cleaner works is gone."""


def clean(cleaning: Cleaning) -> Generator[Replacement, None, Outcome]:
    """Runs the pass; yields each cleaned segment when it is complete, and goes on when that one has been put in place.

    Raises OSError (also where a segment was removed meanwhile), CorruptBatchError, Orphaned.
    """
    parent = os.getppid()
    output = Path(cleaning.output)
    with ExitStack() as opened:
        readers: list[SegmentReader] = []
        for base_offset, size in cleaning.segments:
            readers.append(SegmentReader(Path(cleaning.directory), base_offset, size))
            opened.callback(readers[-1].close)
        latest, mapped_end = map_keys(cleaning, readers)
        batches = BatchFilter(cleaning, latest, mapped_end)
        output.mkdir()
        before = after = 0
        for group in groups(readers, cleaning, mapped_end):
            if os.getppid() != parent:
                raise Orphaned
            cleaned = copy(group, output, batches, cleaning)
            size = sum(reader.size for reader in group)
            before += size
            after += cleaned.size
            if len(group) == 1 and not batches.changed:
                cleaned.delete()
            else:
                yield Replacement(base_offset=cleaned.base_offset, count=len(group))
        return Outcome(
            first_dirty=mapped_end,
            bytes_before=before,
            bytes_after=after,
            records_before=batches.records_before,
            records_after=batches.records_after,
        )


def map_keys(cleaning: Cleaning, readers: Sequence[SegmentReader]) -> tuple[OffsetMap, int]:
    """The latest offset of each key of the dirty part, and the offset behind the last record that had room."""
    latest = OffsetMap(cleaning.map_bytes)
    aborted = AbortedData(cleaning.aborted)
    ends = [*(reader.base_offset for reader in readers[1:]), cleaning.end_offset]
    for reader, end in zip(readers, ends):
        if end <= cleaning.first_dirty:
            continue
        for header, batch in reader.batches():
            next_offset = header.base_offset + header.last_offset_delta + 1
            if next_offset <= cleaning.first_dirty:
                continue
            if latest.full:
                return latest, header.base_offset
            if header.attributes & CONTROL or aborted.has(header):
                continue
            for span in record_spans(record_bytes(batch, header), header):
                if span.key is not None:
                    latest.put(span.key, header.base_offset + span.offset_delta)
    return latest, cleaning.end_offset


def groups(readers: Sequence[SegmentReader], cleaning: Cleaning, mapped_end: int) -> list[list[SegmentReader]]:
    """Runs of segments whose sizes together fit one segment; those that begin behind the map's end stay as they are."""
    found: list[list[SegmentReader]] = []
    ends = [*(reader.base_offset for reader in readers[1:]), cleaning.end_offset]
    size = 0
    for reader, end in zip(readers, ends):
        if reader.base_offset >= mapped_end:
            break
        size += reader.size
        fits = size <= cleaning.segment_bytes
        if found and fits and end - found[-1][0].base_offset <= MAX_RELATIVE_OFFSET:
            found[-1].append(reader)
        else:
            found.append([reader])
            size = reader.size
    return found


def copy(group: Sequence[SegmentReader], output: Path, batches: BatchFilter, cleaning: Cleaning) -> Segment:
    """Writes what stays of a group into one segment with its indexes, as durable as the log is."""
    batches.changed = False
    segment = Segment(output, group[0].base_offset)
    descriptor = segment.open()
    pending: list[bytes | bytearray] = []
    unwritten = 0
    for reader in group:
        for header, batch in reader.batches():
            kept, timestamp = batches.apply(batch, header)
            size = len(kept)
            if not size:
                continue
            last_offset = header.base_offset + header.last_offset_delta
            segment.note(segment.size, size, header.base_offset, last_offset, timestamp, cleaning.index_interval_bytes)
            pending.append(kept)
            unwritten += size
            if unwritten >= WRITE_BYTES:
                write(descriptor, pending)
                pending, unwritten = [], 0
    write(descriptor, pending)
    segment.close()
    segment.write_indexes()
    modified = max(reader.modified_ns for reader in group)
    os.utime(segment.path, ns=(modified, modified))  # retention counts from it where records have no timestamps
    if cleaning.durable:
        for suffix in (".log", ".index", ".timeindex"):
            sync(segment.path.with_suffix(suffix))
        sync(output)
    return segment


def write(descriptor: int, parts: Sequence[bytes | bytearray]) -> None:
    """Writes all of it. Raises OSError."""
    view = memoryview(b"".join(parts))
    while view:
        view = view[os.write(descriptor, view) :]


def sync(path: Path) -> None:
    """Makes a file, or the names in a directory, durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
