"""Any byte of a log's files is flipped, or the file ends there: the log opens, what is sound is read, nothing else is.

A sample of the places; FAULTS=all takes every byte.
"""

from __future__ import annotations

import logging
import os
import random
import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pytest

from broker.log.partition import PartitionLog
from broker.log.recovery_point import read_recovery_point
from broker.protocol.batches import BatchHeader, CorruptBatchError, checksum, read_header, walk
from broker.verification.partition import check_partition
from tests.broker.log.partitions import batch, open_partition, read_committed
from tests.broker.verification.directories import CONFIGS, flip, truncate, write_small_log

EPOCH = 3
ALL = os.environ.get("FAULTS") == "all"
SAMPLE = 12
"""Places in each file."""
PARTS = 4


class Written(NamedTuple):
    """A log as it was before anything happened to it."""

    directory: Path
    clean: bool
    batches: dict[int, bytes]
    """Base offset → batch, of all that is in the files."""
    places: dict[int, tuple[Path, int]]
    """Base offset → where it stands."""
    committed: list[tuple[int, str]]
    start: int
    end: int
    producers: dict[int, object]
    epochs: list[tuple[int, int]]


def in_files(directory: Path) -> Iterator[tuple[Path, int, bytes]]:
    for path in sorted(directory.glob("*.log")):
        content = path.read_bytes()
        for position, size in walk(content):
            yield path, position, content[position : position + size]


def known_producers(log: PartitionLog) -> dict[int, object]:
    """What decides on the next batch of each producer, but for the times."""
    return {
        producer_id: (producer.epoch, [one[:3] for one in producer.batches], log.producers.open.get(producer_id))
        for producer_id, producer in log.producers.producers.items()
    }


@pytest.fixture(scope="module", params=["closed", "killed"])
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Written:
    directory = tmp_path_factory.mktemp("written") / "t-0"
    log = write_small_log(directory)
    committed = read_committed(log, log.start_offset)
    start, end, producers = log.start_offset, log.end_offset, known_producers(log)
    if request.param == "closed":
        log.close(sync=False)
    else:
        log.release()
    epochs = list(log.epochs.entries)
    found = list(in_files(directory))
    return Written(
        directory=directory,
        clean=request.param == "closed",
        batches={read_header(content).base_offset: content for _, _, content in found},
        places={read_header(content).base_offset: (path, position) for path, position, content in found},
        committed=committed,
        start=start,
        end=end,
        producers=producers,
        epochs=epochs,
    )


class Fault(NamedTuple):
    path: Path
    position: int
    bit: int
    """-1: the file ends at the position."""

    def apply(self) -> None:
        if self.bit < 0:
            truncate(self.path, self.position)
        else:
            flip(self.path, self.position, self.bit)


def faults(directory: Path, pick: random.Random) -> Iterator[Fault]:
    for path in sorted(directory.iterdir()):
        size = path.stat().st_size
        positions = range(size) if ALL else sorted(pick.sample(range(size), min(size, SAMPLE)))
        for position in positions:
            yield Fault(path, position, -1)
            yield Fault(path, position, pick.randrange(8))


def served(log: PartitionLog) -> dict[int, bytes]:
    """What a consumer takes who checks checksums and goes on behind damage at the next batch it can."""
    found: dict[int, bytes] = {}
    offset = log.start_offset
    while offset < log.high_watermark:
        try:
            chunk = log.reader.read(offset, 300, at_least_one=True)
        except CorruptBatchError:
            offset += 1
            continue
        if not chunk:
            break
        taken = offset
        for position, size in walk(chunk):
            content = chunk[position : position + size]
            header = read_header(content)
            if header.magic != 2 or checksum(content) != header.crc:
                break
            found[header.base_offset] = content
            taken = max(taken, header.base_offset + header.last_offset_delta + 1)
        offset = taken if taken > offset else offset + 1
    return found


def end_of(header: BatchHeader) -> int:
    return header.base_offset + header.last_offset_delta + 1


@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_byte_is_damaged_the_log_opens_and_serves_what_is_sound(
    written: Written, tmp_path: Path, caplog: pytest.LogCaptureFixture, part: int
) -> None:
    caplog.set_level(logging.CRITICAL)
    point = read_recovery_point(written.directory)
    count = 0
    for fault in islice(faults(written.directory, random.Random(1)), part, None, PARTS):
        directory = tmp_path / str(count)
        shutil.copytree(written.directory, directory)
        local = fault._replace(path=directory / fault.path.name)
        local.apply()
        recovered = not written.clean and local.path == max(directory.glob("*.log"))
        below = point.position if point is not None else 0
        check(written, fault, local, directory, scanned=recovered and fault.position >= below)
        shutil.rmtree(directory)
        count += 1
    assert count > 50


def check(written: Written, fault: Fault, local: Fault, directory: Path, *, scanned: bool) -> None:
    """`scanned`: it lies behind the recovery point of a log that was not closed."""
    report = check_partition(directory, clean=written.clean)
    in_log = fault.path.suffix == ".log"
    hit = {
        base
        for base, (path, position) in written.places.items()
        if path == fault.path
        and (
            position + len(written.batches[base]) > fault.position
            if fault.bit < 0
            else position <= fault.position < position + len(written.batches[base])
        )
    }
    log = open_partition(directory, trusted=written.clean, epoch=EPOCH, **CONFIGS)
    try:
        if fault.path.name == "log-start-offset":
            assert log.start_offset in (written.start, log.segments[0].base_offset), fault
        else:
            assert log.start_offset == written.start, fault
        visible = {base for base, content in written.batches.items() if end_of(read_header(content)) > log.start_offset}
        if not in_log:
            assert log.end_offset == written.end, fault
            assert served(log) == {base: written.batches[base] for base in visible}, fault
            assert known_producers(log) == written.producers, fault
            committed = read_committed(log, log.start_offset)
            assert [one for one in committed if one[0] >= written.start] == written.committed, fault
            assert [*log.epochs.entries][1:] == written.epochs[1:], fault
        elif scanned or (max(directory.glob("*.log")) == local.path and fault.bit < 0):
            kept = {base for base in written.batches if base < min(hit, default=written.end)}
            assert log.end_offset == min(hit, default=written.end), fault
            assert served(log) == {base: written.batches[base] for base in visible & kept}, fault
        else:
            assert log.end_offset == written.end, fault
            found = served(log)
            # The checksum covers neither offset nor leader epoch: damage of these two is served, as by Kafka.
            if fault.bit < 0 or covered(written, fault):
                assert all(written.batches.get(base) == content for base, content in found.items()), fault
                for base in visible:
                    if written.places[base][0] != fault.path or base < min(hit, default=0):
                        assert found.get(base) == written.batches[base], (fault, base)
            own = {read_header(content).base_offset: content for content in log.reader.read_batches(0)}
            assert {base for base in visible - hit if own.get(base) != written.batches[base]} <= neighbours(
                written, fault
            ), fault
        offset, _ = log.append(batch("after"))
        assert read_header(log.reader.read(offset, 1, at_least_one=True)).base_offset == offset
        log.close(sync=False)
    finally:
        log.release()
    again = open_partition(directory, trusted=True, epoch=EPOCH, **CONFIGS)
    assert again.end_offset == log.end_offset, fault
    again.release()
    if not benign(written, fault, scanned=scanned):
        assert any(finding.damage for finding in report.findings), (fault, report)


def covered(written: Written, fault: Fault) -> bool:
    """Whether the batch's checksum, its length or its format shows the damage."""
    starts = [position for path, position in written.places.values() if path == fault.path]
    inside = fault.position - max(position for position in starts if position <= fault.position)
    return inside not in (*range(8), *range(12, 16))


def neighbours(written: Written, fault: Fault) -> set[int]:
    """Batches of the same file that stand behind the damage, before the next one that the index knows: where a damaged
    header does not lead on, they cannot be found."""
    behind = sorted(
        base for base, (path, position) in written.places.items() if path == fault.path and position > fault.position
    )
    return set(behind[:3])


def benign(written: Written, fault: Fault, *, scanned: bool) -> bool:
    """Whether the log is as whole as a crash leaves it."""
    if written.clean:
        return fault.path.name == "recovery-point" and False
    active = max(path for path, _ in written.places.values())
    return scanned or (fault.path.stem == active.stem and fault.path.suffix not in (".log", ".snapshot"))
