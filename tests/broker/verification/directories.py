"""A data directory with a little of everything in it, and its damage."""

from __future__ import annotations

import json
from pathlib import Path
from unittest.mock import patch

from broker.log import partition
from broker.log.partition import PartitionLog
from tests.broker.log.partitions import batch, marker, open_partition

CONFIGS = {"segment_bytes": "900", "index_interval_bytes": "150"}


def write_small_log(directory: Path) -> PartitionLog:
    """Three leader epochs, several segments, idempotent and transactional batches, aborted and committed, a start in
    the midst of a segment, recovery points. The log is open."""
    with patch.object(partition, "INTERVAL_BYTES", 300):
        sequence = 0
        for epoch in (0, 1, 3):
            log = open_partition(directory, epoch=epoch, **CONFIGS)
            for number in range(4):
                log.append(batch(f"e{epoch}n{number}", producer=(7, 0, sequence)))
                values = [f"t{epoch}{number}{index}" for index in range(3)]
                offset = 3 * (sequence % 1000)
                log.append(batch(*values, producer=(8, 0, offset), transactional=True), transactional=True)
                log.append_marker(marker(8, 0, commit=bool(number % 2)))
                log.append(batch(f"p{epoch}{number}", f"q{epoch}{number}"))
                sequence += 1
            if epoch < 3:
                log.release()
        log.delete_before(log.segments[1].base_offset + 2)
    return log


def flip(path: Path, position: int, bit: int) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 1 << bit
    path.write_bytes(content)


def truncate(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])


def small_files(directory: Path) -> dict[str, object]:
    """What the JSON files of a partition say."""
    return {path.name: json.loads(path.read_bytes()) for path in directory.iterdir() if path.suffix == ""}
