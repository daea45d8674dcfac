"""How far a log need not be looked through after the broker's process died: the recovery point.

Every 8 MiB the index files and the producers' state are brought up to date, and then `recovery-point` says so:

    {"boot": …, "base": base offset of the active segment, "position": in its file, "offset": at that position}

What a process wrote is in the page cache when it dies, so a restart scans from there on. Not so when the machine went
down: a point of another boot (or where the system does not name its boots) counts for nothing.

Source: `recovery-point-offset-checkpoint` of Apache Kafka.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from broker.files import DamagedFileError, read_fields, write_fields

if TYPE_CHECKING:
    from broker.log.partition import PartitionLog

LOG = logging.getLogger("broker.log")
FILE_NAME = "recovery-point"
INTERVAL_BYTES = 8_388_608
"""Scanning that much takes a few hundredths of a second, or a tenth if it is small batches only."""
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class RecoveryPoint(NamedTuple):
    base_offset: int
    position: int
    offset: int


def save_recovery_point(log: PartitionLog) -> None:
    """Makes the log's end its recovery point. A failure is logged and costs no more than the time of a scan."""
    segment = log.active
    try:
        boot = BOOT_ID.read_text().strip() if BOOT_ID.exists() else ""
        log.write_indexes(segment)
        log.write_snapshot()
        point = {"boot": boot, "base": segment.base_offset, "position": segment.size, "offset": log.end_offset}
        write_fields(log.directory / FILE_NAME, point, durable=False)
    except OSError as error:
        segment.saved_to = segment.size  # not again at every append
        LOG.warning("%s: no recovery point: %s", log.name, error)


def read_recovery_point(directory: Path) -> RecoveryPoint | None:
    """The point, if the machine has been up since it was written."""
    try:
        content = read_fields(directory / FILE_NAME)
        if not content["boot"] or content["boot"] != BOOT_ID.read_text().strip():
            return None
        return RecoveryPoint(int(content["base"]), int(content["position"]), int(content["offset"]))
    except (OSError, DamagedFileError, ValueError, KeyError, TypeError):
        return None
