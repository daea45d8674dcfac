"""The leader epochs of a partition: which one began at which offset.

The epoch is one number for the whole broker (`broker.leader_epoch`), and rises whenever records may have been lost: at
each start after a crash. A client that has read beyond what is left finds out by asking where the epoch of its last
record ends (KIP-320). Batches carry their epoch; the file `leader-epochs` saves looking for the boundaries:

    {"epochs": [[epoch, first offset], …], "crc32c": …}

Source: `LeaderEpochFileCache` of Apache Kafka.
"""

from __future__ import annotations

from pathlib import Path

from broker.files import DamagedFileError, read_fields, write_fields

FILE_NAME = "leader-epochs"
UNDEFINED = (-1, -1)


class LeaderEpochs:
    """Owned by the partition log. `entries`: (epoch, its first offset), both rising."""

    __slots__ = ("entries", "saved")

    def __init__(self, entries: list[tuple[int, int]] | None = None) -> None:
        self.entries = entries or []
        self.saved = list(self.entries)
        """What the file holds."""

    @property
    def latest(self) -> int:
        """-1: none yet."""
        return self.entries[-1][0] if self.entries else -1

    def assign(self, epoch: int, offset: int) -> None:
        """An epoch begins at an offset, unless it or a later one has begun; epochs without a record go."""
        if epoch <= self.latest:
            return
        self.forget_from(offset)
        self.entries.append((epoch, offset))

    def forget_from(self, end_offset: int) -> None:
        """The log was cut off: drops the epochs that began there or behind it."""
        while self.entries and self.entries[-1][1] >= end_offset:
            self.entries.pop()

    def forget_before(self, start_offset: int) -> None:
        """The log starts later now: drops epochs without records; the first one left begins with the log."""
        entries = self.entries
        while len(entries) > 1 and entries[1][1] <= start_offset:
            del entries[0]
        if entries and entries[0][1] < start_offset:
            entries[0] = entries[0][0], start_offset

    def at(self, offset: int) -> int:
        """The epoch of the record at an offset; -1: not known."""
        found = -1
        for epoch, start in self.entries:
            if start > offset:
                break
            found = epoch
        return found

    def end_of(self, epoch: int, log_end: int) -> tuple[int, int]:
        """(the largest epoch not above the one asked for, offset behind its last record); (-1, -1): not known.

        As `LeaderEpochFileCache.endOffsetFor`, to which an epoch below all known ones ends where those begin.
        """
        if epoch < 0 or epoch > self.latest:
            return UNDEFINED
        if epoch == self.latest:
            return epoch, log_end
        floor = epoch
        for known, start in self.entries:
            if known > epoch:
                return floor, start
            floor = known
        raise AssertionError("an epoch below the latest one has a later one")

    # -- file --------------------------------------------------------------------------------------------------------
    def save(self, directory: Path) -> None:
        """Brings the file up to date. Raises OSError."""
        if self.entries != self.saved:
            write_fields(directory / FILE_NAME, {"epochs": self.entries}, durable=False)
            self.saved = list(self.entries)

    @classmethod
    def load(cls, directory: Path) -> LeaderEpochs:
        """Raises FileNotFoundError, OSError, DamagedFileError."""
        path = directory / FILE_NAME
        try:
            entries = [(int(epoch), int(offset)) for epoch, offset in read_fields(path)["epochs"]]
        except (KeyError, TypeError, ValueError) as error:
            raise DamagedFileError(f"{path}: not a list of epochs") from error
        return cls(entries)
