"""Notices that the state directory was taken away under a running worker."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from streams.errors import StateError
from streams.plan.task_id import TaskId


class StateWatch:
    """RocksDB itself would go on with the files it has open, and fail at some later time, or never: what it writes is
    nowhere. So somebody has to look."""

    def __init__(self, directory: Path) -> None:
        """`directory`: the application's, with a folder per task."""
        self._directory = directory

    def check(self, tasks: Collection[TaskId]) -> None:
        """`tasks`: those that run here. Raises StateError."""
        for task in tasks:
            directory = self._directory / str(task)
            if not directory.is_dir():
                raise StateError(
                    f"task {task}: its state directory {directory} is gone; start the worker again, which restores the "
                    "state from its changelogs, and choose a state_dir that nobody cleans up",
                    task=str(task),
                )
