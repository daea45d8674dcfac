"""How many files a worker may have open. A task's state has some open all the time, besides those with its rows, and
the usual limit of 1,024 is met by a hundred tasks.
"""

from __future__ import annotations

import contextlib
import logging

from streams.plan.plan import PartitionPlan

log = logging.getLogger(__name__)

TASK_FILES = 6
"""Of a RocksDB database: its lock, log, write-ahead log, manifest, directory, and the family of the task's own rows."""
ROW_FILES = 4
"""Of a store: its directory, and files with rows, of which more are seldom open at a time unless it is large."""
OTHER_FILES = 200
"""Connections, pipes, libraries."""


def files_needed(plan: PartitionPlan) -> int:
    """About how many a worker has open that runs all tasks."""
    return OTHER_FILES + sum(
        len(plan.tasks_of(sub.index)) * (TASK_FILES + ROW_FILES * len(sub.stores)) for sub in plan.plan.subtopologies
    )


def allow_open_files(plan: PartitionPlan) -> None:
    """Raises this process's limit to what the system allows, if all tasks could need that; says so where even that is
    too little for them."""
    try:
        import resource
    except ImportError:
        return  # no such limit here
    needed, (soft, hard) = files_needed(plan), resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= needed or soft == resource.RLIM_INFINITY:
        return
    if soft != hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
    if soft < needed and soft != resource.RLIM_INFINITY:
        log.warning(
            "few_open_files: a process may open %d files, and a worker that ran all %d tasks would need about %d; "
            "raise the limit (ulimit -n) or see that it never has all of them",
            soft,
            sum(len(plan.tasks_of(sub.index)) for sub in plan.plan.subtopologies),
            needed,
        )
