"""Up to which offset a log was cleaned: one number in the file `cleaner-offset` of its directory.

Source: `cleaner-offset-checkpoint` of Apache Kafka, which is one file for all logs.
"""

from __future__ import annotations

from broker.files import write_atomically
from broker.log.partition import PartitionLog

FILE_NAME = "cleaner-offset"


def read_first_dirty(log: PartitionLog) -> int:
    """The first offset that was never cleaned; the log's start where that is not known or cannot be."""
    try:
        offset = int((log.directory / FILE_NAME).read_text())
    except (FileNotFoundError, ValueError):
        return log.start_offset
    # Beyond the active segment's start: the log was cut off in a recovery, and offsets were given out anew.
    return offset if log.start_offset <= offset <= log.active.base_offset else log.start_offset


def write_first_dirty(log: PartitionLog, offset: int) -> None:
    """Raises OSError. Never made durable: where it is lost, the log is cleaned from its start."""
    write_atomically(log.directory / FILE_NAME, str(offset).encode(), durable=False)
