"""The life of a task and of a worker, as tables of what may follow what."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum


class TaskPhase(Enum):
    """CREATED ──> RESTORING ──> RUNNING ──> CLOSED, and to CLOSED from everywhere."""

    CREATED = "created"
    RESTORING = "restoring"
    RUNNING = "running"
    CLOSED = "closed"


TASK_TRANSITIONS: Mapping[TaskPhase, frozenset[TaskPhase]] = {
    TaskPhase.CREATED: frozenset({TaskPhase.RESTORING, TaskPhase.RUNNING, TaskPhase.CLOSED}),
    TaskPhase.RESTORING: frozenset({TaskPhase.RUNNING, TaskPhase.CLOSED}),
    TaskPhase.RUNNING: frozenset({TaskPhase.CLOSED}),
    TaskPhase.CLOSED: frozenset(),
}


class WorkerState(Enum):
    """CREATED ──> REBALANCING <──> RUNNING
                         │              │
                         └──────┬───────┘
                          PENDING_SHUTDOWN ──> NOT_RUNNING
        and from everywhere to ERROR, except from NOT_RUNNING.

    REBALANCING: tasks are awaited, or some of the worker's own are not running yet (opened, restored).
    Source: `org.apache.kafka.streams.KafkaStreams.State`.
    """

    CREATED = "created"
    REBALANCING = "rebalancing"
    RUNNING = "running"
    PENDING_SHUTDOWN = "pending_shutdown"
    NOT_RUNNING = "not_running"
    ERROR = "error"


WORKER_TRANSITIONS: Mapping[WorkerState, frozenset[WorkerState]] = {
    WorkerState.CREATED: frozenset(
        {WorkerState.REBALANCING, WorkerState.PENDING_SHUTDOWN, WorkerState.NOT_RUNNING, WorkerState.ERROR}
    ),
    WorkerState.REBALANCING: frozenset({WorkerState.RUNNING, WorkerState.PENDING_SHUTDOWN, WorkerState.ERROR}),
    WorkerState.RUNNING: frozenset({WorkerState.REBALANCING, WorkerState.PENDING_SHUTDOWN, WorkerState.ERROR}),
    WorkerState.PENDING_SHUTDOWN: frozenset({WorkerState.NOT_RUNNING, WorkerState.ERROR}),
    WorkerState.NOT_RUNNING: frozenset(),
    WorkerState.ERROR: frozenset(),
}


class PhaseError(RuntimeError):
    """A transition that the table does not have: a defect in the runtime, not in the application."""


def check_task_transition(task: object, before: TaskPhase, after: TaskPhase) -> None:
    if after not in TASK_TRANSITIONS[before]:
        raise PhaseError(f"task {task} cannot go from {before.value} to {after.value}")


def check_worker_transition(before: WorkerState, after: WorkerState) -> None:
    if after not in WORKER_TRANSITIONS[before]:
        raise PhaseError(f"the worker cannot go from {before.value} to {after.value}")
