"""Up to which offset a log was compacted: the file `cleaner-offset` of its directory, {"offset": …}.

Source: `cleaner-offset-checkpoint` of Apache Kafka, which is one file for all logs.
"""

from __future__ import annotations

from pathlib import Path

from broker.files import DamagedFileError, read_fields, write_fields

FILE_NAME = "cleaner-offset"


def read_cleaner_offset(directory: Path) -> int:
    """The first offset that was never compacted; 0 where that is not known."""
    try:
        return int(read_fields(directory / FILE_NAME)["offset"])
    except (FileNotFoundError, DamagedFileError, KeyError, TypeError, ValueError):
        return 0


def write_cleaner_offset(directory: Path, offset: int) -> None:
    """Raises OSError. Never made durable: where it is lost, the log is compacted from its start."""
    write_fields(directory / FILE_NAME, {"offset": offset}, durable=False)
