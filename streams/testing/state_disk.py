"""Where the state of the test driver's tasks stays while nobody has it open."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from stores import MemoryDisk, MemoryTaskState, StoreSpec, TaskState


class StateDisk(Protocol):
    """The state directory of one task, or what stands in for it."""

    def open(self) -> TaskState:
        """The state as it was committed. It has to be closed before the next call."""
        ...

    def wipe(self) -> None:
        """Loses everything."""
        ...


class MemoryStateDisk:
    """State in memory."""

    def __init__(self, specs: Sequence[StoreSpec]) -> None:
        self._specs = specs
        self._disk = MemoryDisk()

    def open(self) -> TaskState:
        return MemoryTaskState.open(self._specs, self._disk)

    def wipe(self) -> None:
        self._disk = MemoryDisk()


class RocksDbStateDisk:
    """State in RocksDB, in a directory."""

    def __init__(self, specs: Sequence[StoreSpec], directory: Path) -> None:
        self._specs = specs
        self._directory = directory

    def open(self) -> TaskState:
        from stores import RocksDbResources, RocksDbTaskState

        return RocksDbTaskState.open(self._directory, self._specs, RocksDbResources())

    def wipe(self) -> None:
        shutil.rmtree(self._directory, ignore_errors=True)
