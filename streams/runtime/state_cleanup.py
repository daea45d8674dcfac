"""Deletes the state of tasks that moved away, once nobody on this host has wanted it for a while.

State is kept for some time because a task often comes back (a rolling restart), and then needs no restore. Source:
Kafka Streams' `state.cleanup.delay.ms`, `StateDirectory.cleanRemovedTasks`.
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
import shutil
import time
from collections.abc import Callable, Collection
from pathlib import Path

from streams.errors import StateError
from streams.plan.task_id import TaskId

log = logging.getLogger(__name__)

TASK_FOLDER = re.compile(r"[0-9]+_[0-9]+", re.ASCII)
GLOBAL_FOLDER = re.compile(r"global-[0-9]+", re.ASCII)
LOCK_FILE = "LOCK"
"""RocksDB's own; whoever has the database open holds a lock on it."""


class StateCleanup:
    """Owned by the stream thread. `wall_clock` is in seconds since the epoch, as files' times are."""

    def __init__(self, directory: Path, *, delay_s: float, wall_clock: Callable[[], float] = time.time) -> None:
        """`directory`: the application's, with a folder per task, shared by the workers of the host."""
        self._directory = directory
        self._delay_s = delay_s
        self._wall_clock = wall_clock
        self._next = wall_clock() + delay_s  # what lies here when the worker starts may be what it is about to get

    def run_when_due(self, mine: Collection[TaskId]) -> list[TaskId]:
        """Deletes what is old enough, at most once in a tenth of the delay; returns whose state it was.

        Args:
            mine: this worker's tasks, which are never touched. Those of other workers are recognised by their lock.
        """
        now = self._wall_clock()
        if now < self._next:
            return []
        self._next = now + self._delay_s / 10
        kept = {str(task) for task in mine}
        gone: list[TaskId] = []
        for path in sorted(self._directory.iterdir()) if self._directory.is_dir() else ():
            if not TASK_FOLDER.fullmatch(path.name) or path.name in kept:
                continue
            if now - last_change(path) >= self._delay_s and delete_unless_open(path):
                log.info(
                    "state_deleted: task %s has not been here for %.0f s",
                    path.name,
                    self._delay_s,
                    extra={"task": path.name},
                )
                gone.append(TaskId.parse(path.name))
        return gone


def delete_state(directory: Path) -> list[str]:
    """Deletes the state of an application's tasks and global tables; returns the names of the folders.

    Args:
        directory: the application's. No worker of this process may have anything in it open.

    Raises:
        StateError: a worker of another process has it open; what it has not is deleted by then.
    """
    gone: list[str] = []
    for path in sorted(directory.iterdir()) if directory.is_dir() else ():
        if TASK_FOLDER.fullmatch(path.name) or GLOBAL_FOLDER.fullmatch(path.name):
            if not delete_unless_open(path) and path.exists():
                raise StateError(f"{path} is in use by a running worker: stop all workers of this host, then try again")
            gone.append(path.name)
    return gone


def last_change(directory: Path) -> float:
    """When a file in it was last written; the directory's own time if there is none."""
    times = [directory.stat().st_mtime]
    for file in os.scandir(directory):
        try:
            times.append(file.stat().st_mtime)
        except FileNotFoundError:
            continue
    return max(times)


def delete_unless_open(directory: Path) -> bool:
    """Deletes a database's directory while holding its lock, so that nobody opens it meanwhile.

    Never for a database of this process: the lock belongs to the process, and closing the file here would give it up.
    """
    try:
        descriptor = os.open(directory / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o644)
    except FileNotFoundError:
        return False  # somebody else was quicker
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(directory)
    except OSError as error:  # in use, or not ours to delete: it stays
        log.debug("state_kept: %s: %s", directory, error)
        return False
    finally:
        os.close(descriptor)
    return True
