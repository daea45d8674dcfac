"""What state of which tasks lies on this host, and how far behind it is: so that tasks are given to where it is.

Opening every store just to ask it would delay the start, so a task that is closed leaves a note beside its files,
`positions.json`: changelog topic -> next offset to restore from. After a crash the note is older than the state, which
makes the state look worse than it is and nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import msgspec

from streams.errors import StreamsError
from streams.plan.plan import PartitionPlan
from streams.plan.task_id import TaskId
from streams.runtime.log_ends import LogEnds
from streams.runtime.task import Task

log = logging.getLogger(__name__)

NOTE = "positions.json"
ANSWER_WAIT_S = 5.0


def leave_note(directory: Path, task: Task) -> None:
    """Writes down how far the state of an open task is. `directory` is the task's own."""
    positions = {c.topic: task.state.positions[c.store] for c in task.changelogs if c.store in task.state.positions}
    if positions:
        (directory / NOTE).write_bytes(msgspec.json.encode(positions))


def local_lags(application_dir: Path, plan: PartitionPlan, ends: LogEnds) -> dict[TaskId, int]:
    """For each task with state here, how many changelog records it lacks. Empty if the broker does not say."""
    notes = {task: note for task in plan.tasks if (note := read_note(application_dir / str(task)))}
    places = {(topic, task.partition) for task, note in notes.items() for topic in note}
    try:
        found = ends.request(places).result(ANSWER_WAIT_S)
    except StreamsError as error:
        log.info("local_state_unknown: %s; tasks are assigned without regard to it", error)
        return {}
    return {
        task: sum(max(found[topic, task.partition] - position, 0) for topic, position in note.items())
        for task, note in notes.items()
    }


def read_note(directory: Path) -> Mapping[str, int]:
    """Empty if there is none, or if a crash has left half of one."""
    try:
        return msgspec.json.decode((directory / NOTE).read_bytes(), type=dict[str, int])
    except (OSError, msgspec.DecodeError):
        return {}
