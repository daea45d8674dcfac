"""The task state without a disk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from stores.clean import CleanBudget
from stores.memory.database import MemoryDatabase, MemoryDisk
from stores.specs import StoreSpec
from stores.task_state import TaskState

CLEAN_BYTES = 16 * 2**20


class MemoryTaskState(TaskState):
    """`TaskState` in memory: committed rows are bytes in a dict. For tests, and for applications that want no disk."""

    @classmethod
    def open(cls, specs: Sequence[StoreSpec], disk: MemoryDisk | None = None) -> Self:
        """Opens the stores; with a `disk` they hold what an earlier state committed to it. Raises StateLockedError."""
        return cls(MemoryDatabase(disk or MemoryDisk()), specs, CleanBudget(CLEAN_BYTES))
