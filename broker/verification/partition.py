"""Looks through the directory of one partition."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from broker.files import DamagedFileError, read_fields
from broker.log.cleaner_offset import FILE_NAME as CLEANER_FILE
from broker.log.cleaner_offset import read_cleaner_offset
from broker.log.leader_epochs import FILE_NAME as EPOCHS_FILE
from broker.log.leader_epochs import LeaderEpochs
from broker.log.partition import START_FILE
from broker.log.producer_snapshot import SnapshotError, decode_snapshot
from broker.log.recovery import segment_bases, start_offset
from broker.log.recovery_point import FILE_NAME as POINT_FILE
from broker.log.recovery_point import read_recovery_point
from broker.log.swap import CLEANED_PREFIX, SWAP_NAME
from broker.verification.finding import Finding, PartitionReport, Severity
from broker.verification.segment import Extent, check_segment

SMALL_FILES: dict[str, tuple[Severity, str]] = {
    START_FILE: ("lost", "the log starts with its first segment again: records that were deleted come back"),
    CLEANER_FILE: ("rebuilt", "the log is compacted from its start"),
    EPOCHS_FILE: ("rebuilt", "it is made anew from the batches"),
    POINT_FILE: ("rebuilt", "the last segment is looked through at the next start"),
}


def check_partition(
    directory: Path, *, clean: bool, progress: Callable[[int], None] = lambda size: None
) -> PartitionReport:
    """`clean`: the broker was shut down cleanly. `progress` is told the bytes of each segment. Raises OSError."""
    findings = [*check_small_files(directory), *check_snapshots(directory), *check_leftovers(directory)]
    bases = segment_bases(directory)
    first = bases[0] if bases else 0
    try:
        recorded = LeaderEpochs.load(directory)
    except (FileNotFoundError, DamagedFileError):
        recorded = None
    extent = Extent(next_offset=first, cleaned_to=read_cleaner_offset(directory), recorded=recorded)
    point = None if clean else read_recovery_point(directory)
    size = 0
    for base_offset, following in zip(bases, [*bases[1:], None]):
        path = directory / f"{base_offset:020}.log"
        if (
            extent.next_offset is not None
            and extent.next_offset != base_offset
            and extent.next_offset >= max(extent.cleaned_to, first)
        ):
            text = f"the segment begins at offset {base_offset}, the one before it ends at {extent.next_offset}"
            findings.append(Finding(severity="lost", path=path, position=0, text=text))
        if extent.next_offset is None or extent.next_offset < base_offset:
            extent.next_offset = base_offset
        recovered_from = point.position if point is not None and point.base_offset == base_offset else 0
        findings += check_segment(
            directory, base_offset, extent, following=following, clean=clean, recovered_from=recovered_from
        )
        size += path.stat().st_size
        progress(path.stat().st_size)
    end_offset = first if extent.next_offset is None else extent.next_offset
    return PartitionReport(
        name=directory.name,
        segments=len(bases),
        size=size,
        batches=extent.batches,
        records=extent.records,
        start_offset=start_offset(directory, first, end_offset),
        end_offset=end_offset,
        findings=tuple(findings),
    )


def check_small_files(directory: Path) -> Iterator[Finding]:
    for name, (severity, consequence) in SMALL_FILES.items():
        path = directory / name
        try:
            read_fields(path)
        except FileNotFoundError:
            continue
        except DamagedFileError as error:
            text = f"{error}; {consequence}"
            yield Finding(severity=severity, path=path, position=None, text=text)


def check_snapshots(directory: Path) -> Iterator[Finding]:
    for path in sorted(directory.glob("*.snapshot")):
        try:
            decode_snapshot(path.read_bytes())
        except SnapshotError as error:
            text = f"{error}; an older one and the batches behind it serve"
            yield Finding(severity="rebuilt", path=path, position=None, text=text)


def check_leftovers(directory: Path) -> Iterator[Finding]:
    for path in sorted(directory.iterdir()):
        if SWAP_NAME.fullmatch(path.name):
            yield Finding(severity="note", path=path, position=None, text="the next start puts this segment in place")
        elif path.name.startswith(CLEANED_PREFIX):
            yield Finding(
                severity="note", path=path, position=None, text="a compaction cut short; the next start removes it"
            )
