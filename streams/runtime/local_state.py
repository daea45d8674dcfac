"""What state of which tasks lies on this host, and how far it is: so that tasks are given to where it is.

Opening every store just to ask it would delay the start, so a task that is closed leaves a note beside its files,
`positions.json`: changelog topic -> next offset to restore from. After a crash the note is older than the state, which
makes the state look worse than it is and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from streams.plan.plan import PartitionPlan
from streams.plan.task_id import TaskId
from streams.runtime.replica import Replica
from streams.runtime.router import Place

NOTE = "positions.json"


def leave_note(directory: Path, task: Replica) -> None:
    """Writes down how far the state of an open task is. `directory` is the task's own."""
    known = task.state.positions
    positions = {c.topic: known[c.store] for c in task.changelogs if c.store in known}
    if positions:
        (directory / NOTE).write_bytes(msgspec.json.encode(positions))


def local_positions(application_dir: Path, plan: PartitionPlan) -> dict[TaskId, dict[Place, int]]:
    """For each task with state here: how much of its changelogs is in it."""
    notes = {task: note for task in plan.tasks if (note := read_note(application_dir / str(task)))}
    return {
        task: {(topic, task.partition): position for topic, position in note.items()} for task, note in notes.items()
    }


def read_note(directory: Path) -> Mapping[str, int]:
    """Empty if there is none, or if a crash has left half of one."""
    try:
        return msgspec.json.decode((directory / NOTE).read_bytes(), type=dict[str, int])
    except (OSError, msgspec.DecodeError):
        return {}
