"""The task state on disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from stores.rocksdb.database import RocksDbDatabase
from stores.rocksdb.resources import RocksDbResources
from stores.specs import StoreSpec
from stores.task_state import TaskState


class RocksDbTaskState(TaskState):
    """`TaskState` in a directory of its own. Commits are in RocksDB's log when they return: they survive the end of
    the process, and of the machine up to what its file system had not written yet."""

    @classmethod
    def open(cls, path: Path, specs: Sequence[StoreSpec], resources: RocksDbResources) -> Self:
        """Opens the directory, made if missing.

        Raises StateLockedError, StateVersionError, StateMismatchError, StoreCorruptError, RowDecodeError.
        """
        return cls(RocksDbDatabase(path, specs, resources), specs, resources.clean_budget)
