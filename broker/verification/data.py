"""Looks through a whole data directory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from broker.data_directory import DataDirectory
from broker.files import DamagedFileError, read_fields
from broker.log.directory import DELETED_SUFFIX
from broker.topics.config import TopicConfig
from broker.topics.definitions import InvalidConfigError
from broker.verification.finding import Finding, PartitionReport
from broker.verification.partition import check_partition


class Verification:
    """A data directory that no broker uses. To be used as a context manager: it is locked meanwhile."""

    def __init__(self, path: Path) -> None:
        """Raises DataDirectoryError and its kinds: there is no data directory, its format is unknown, it is in use."""
        self.data = DataDirectory(path)
        self.clean = self.data.open_at_rest()

    def __enter__(self) -> Verification:
        return self

    def __exit__(self, *_: object) -> None:
        self.data.release()

    @property
    def size(self) -> int:
        """Bytes in all .log files."""
        return sum(path.stat().st_size for path in self.data.logs.glob("*/*.log"))

    def partitions(self, progress: Callable[[int], None] = lambda size: None) -> Iterator[PartitionReport]:
        """Each partition in order of name; `progress` is told the bytes that were looked through. Raises OSError."""
        for path in sorted(self.data.logs.iterdir(), key=by_topic_and_number):
            if path.is_dir() and not path.name.endswith(DELETED_SUFFIX):
                yield check_partition(path, clean=self.clean, progress=progress)

    def broker_files(self) -> Iterator[Finding]:
        """The files that are of no partition. Raises OSError."""
        for path, consequence in (
            (self.data.producer_ids, "the broker does not start: write a number above all producer ids into it"),
            (self.data.leader_epoch, "the epoch goes on above those of the logs"),
        ):
            try:
                read_fields(path)
            except FileNotFoundError:
                continue
            except DamagedFileError as error:
                yield Finding(severity="lost", path=path, position=None, text=f"{error}; {consequence}")
        described: set[str] = set()
        for path in sorted(self.data.topics.glob("*.json")):
            try:
                content = read_fields(path)
                TopicConfig.parse(content["configs"])
                if not content["deleted"]:
                    described |= {f"{path.stem}-{partition}" for partition in range(int(content["partitions"]))}
            except (DamagedFileError, KeyError, TypeError, ValueError, InvalidConfigError) as error:
                text = f"{error}; the broker does not start: restore the file from a backup, or move it away"
                yield Finding(severity="lost", path=path, position=None, text=text)
                continue
        found = {path.name for path in self.data.logs.iterdir() if not path.name.endswith(DELETED_SUFFIX)}
        for name in sorted(described - found):
            text = "there is no such directory; the next start makes an empty partition"
            yield Finding(severity="lost", path=self.data.logs / name, position=None, text=text)
        for name in sorted(found - described):
            text = "no file in topics/ describes the topic of this partition"
            yield Finding(severity="note", path=self.data.logs / name, position=None, text=text)


def by_topic_and_number(path: Path) -> tuple[str, int]:
    topic, _, number = path.name.rpartition("-")
    return topic, int(number) if number.isdecimal() else -1
