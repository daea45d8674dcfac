"""Looks through one segment: every batch of its .log file, and whether its indexes speak of these batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from broker.log.aborted import AbortedTransactions
from broker.log.index import Indexed, IndexFileError, OffsetIndex, TimeIndex
from broker.log.leader_epochs import LeaderEpochs
from broker.log.salvage import Damage, salvage
from broker.log.segment import Segment
from broker.protocol.batches import BatchHeader
from broker.verification.finding import Finding

REBUILT = "it is made anew at the next start"
LOST = "restore the topic from a backup, or have clients seek beyond it"


@dataclass(slots=True)
class Extent:
    """What the batches of a partition have told so far; the check of each segment moves it on."""

    next_offset: int | None
    """Where the next batch has to begin; None: behind damage, anywhere."""
    cleaned_to: int
    """Below it compaction may have left gaps."""
    recorded: LeaderEpochs | None
    """What the partition's file says of leader epochs, if that is sound."""
    met: LeaderEpochs = field(default_factory=LeaderEpochs)
    """The leader epochs of the batches."""
    batches: int = 0
    records: int = 0


def check_segment(
    directory: Path, base_offset: int, extent: Extent, *, following: int | None, clean: bool, recovered_from: int
) -> Iterator[Finding]:
    """Findings of one segment. `following`: base offset of the next one; `clean`: the broker was shut down cleanly;
    `recovered_from`: position from which the next start looks for itself. Raises OSError."""
    segment = Segment(directory, base_offset)
    path = segment.path
    segment.size = path.stat().st_size
    settled = following is not None or clean
    indexes = load_indexes(segment)
    if isinstance(indexes, IndexFileError):
        severity = "rebuilt" if settled and segment.size else "note"
        yield Finding(severity=severity, path=path.with_suffix(".index"), position=None, text=f"{indexes}; {REBUILT}")
    else:
        segment.offset_index, indexed = indexes
        if segment.size < indexed.size:
            text = f"{indexed.size - segment.size} bytes at the end of the file are gone; {LOST}"
            yield Finding(severity="lost", path=path, position=segment.size, text=text)
        elif segment.size > indexed.size and settled:
            text = f"{segment.size - indexed.size} bytes follow that the broker did not write; they do not count"
            yield Finding(severity="rebuilt", path=path, position=indexed.size, text=text)
            segment.size = indexed.size
    yield from check_aborted(segment, settled=settled)
    try:
        yield from check_batches(segment, extent, following, settled=settled, recovered_from=recovered_from)
    finally:
        segment.close()


def load_indexes(segment: Segment) -> tuple[OffsetIndex, Indexed] | IndexFileError:
    """The offset index and what it speaks of, if both index files are sound."""
    try:
        offset_index, indexed = OffsetIndex.load(segment.path.with_suffix(".index"))
        _, timed = TimeIndex.load(segment.path.with_suffix(".timeindex"))
    except IndexFileError as error:
        return error
    if timed != indexed:
        return IndexFileError(f"{segment.path.with_suffix('.timeindex')}: not of the same time as the .index file")
    return offset_index, indexed


def check_aborted(segment: Segment, *, settled: bool) -> Iterator[Finding]:
    try:
        AbortedTransactions().load(segment.aborted_path)
    except IndexFileError as error:
        severity = "rebuilt" if settled and segment.size else "note"
        yield Finding(severity=severity, path=segment.aborted_path, position=None, text=f"{error}; {REBUILT}")


def check_batches(
    segment: Segment, extent: Extent, following: int | None, *, settled: bool, recovered_from: int
) -> Iterator[Finding]:
    expected = dict(zip(segment.offset_index.positions, segment.offset_index.offsets))
    damaged = False
    for one in salvage(segment, following):
        if isinstance(one, Damage):
            damaged = True
            extent.next_offset = None
            if not settled and one.position >= recovered_from:
                text = f"{one.problem}; the next start cuts off the {segment.size - one.position} bytes from there on"
                severity = "note" if one.end == segment.size else "lost"
                yield Finding(severity=severity, path=segment.path, position=one.position, text=text)
                return
            text = f"no sound batch ({one.problem}) in {one.end - one.position} bytes; {LOST}"
            yield Finding(severity="lost", path=segment.path, position=one.position, text=text)
            continue
        header = one.header
        problem = order_problem(header, extent, settled=settled)
        if problem:
            yield Finding(severity="lost", path=segment.path, position=one.position, text=f"{problem}; {LOST}")
        offset = expected.pop(one.position, None)
        if offset is not None and segment.base_offset + offset != header.base_offset:
            text = f"it has offset {segment.base_offset + offset} for position {one.position}; delete the file"
            yield Finding(severity="rebuilt", path=segment.path.with_suffix(".index"), position=None, text=text)
        extent.next_offset = header.base_offset + header.last_offset_delta + 1
        extent.met.assign(header.leader_epoch, header.base_offset)
        extent.batches += 1
        extent.records += header.record_count
    if expected and not damaged:
        text = f"it names positions at which no batch begins, such as {min(expected)}; delete the file"
        yield Finding(severity="rebuilt", path=segment.path.with_suffix(".index"), position=None, text=text)


def order_problem(header: BatchHeader, extent: Extent, *, settled: bool) -> str:
    """What is wrong with a batch's place in the log, which its checksum does not cover; "": nothing."""
    due = extent.next_offset
    if due is not None and (header.base_offset < due or (header.base_offset > due and due >= extent.cleaned_to)):
        return f"offset {header.base_offset} where {due} has to follow"
    epoch = header.leader_epoch
    if settled and extent.recorded is not None:
        recorded = extent.recorded.at(header.base_offset)
        epoch = epoch if recorded < 0 else recorded  # of records that were deleted it says nothing
    if header.leader_epoch < max(0, extent.met.latest) or header.leader_epoch != epoch:
        return f"leader epoch {header.leader_epoch} where {max(epoch, extent.met.latest)} was"
    return ""
