"""Opens tasks: their directories, their stores, their committed offsets.

A task's directory is `<state_dir>/<application>/<task>/`. The processes of a host share the state directory, so a task
that moves between them finds its stores; while the other process is still closing them the directory is locked, and
opening is tried again for a bounded time.
"""

from __future__ import annotations

import logging
import math
import shutil
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from stores import RocksDbResources, RocksDbTaskState, StateLockedError, Store, StoreCorruptError, StoreError, TaskState
from streams.errors import StateError
from streams.inflight import CallLoop
from streams.observe.tracing import Tracing
from streams.plan.plan import PartitionPlan
from streams.plan.task_id import TaskId
from streams.runtime.failure_policy import FailurePolicy
from streams.runtime.local_state import leave_note
from streams.runtime.membership import CommitFailedError, Membership
from streams.runtime.options import WorkerOptions
from streams.runtime.producer import RecordProducer
from streams.runtime.task import Task

log = logging.getLogger(__name__)

OPENING_S = 0.2
"""After so long `open` returns with what it has opened (at least one)."""


class TaskOpener:
    """Owned by the stream thread. `clock` is monotonic, in s; `wall_clock` tells ms since the epoch; `calls` runs
    asynchronous functions."""

    def __init__(
        self,
        plan: PartitionPlan,
        options: WorkerOptions,
        membership: Membership,
        producer: RecordProducer,
        failures: FailurePolicy,
        resources: RocksDbResources,
        global_stores: Mapping[str, Store],
        clock: Callable[[], float],
        wall_clock: Callable[[], int],
        calls: CallLoop | None = None,
    ) -> None:
        self._plan = plan
        self._options = options
        self._membership = membership
        self._producer = producer
        self._clock = clock
        self._wall_clock = wall_clock
        self._calls = calls
        self._resources = resources
        self._failures = failures
        self._global_stores = global_stores
        self._tracing = Tracing(plan.plan.application_id) if options.tracing else None
        self._waiting: dict[TaskId, float] = {}  # -> when to give up
        self._told: set[TaskId] = set()

    @property
    def waiting(self) -> Collection[TaskId]:
        """The tasks that are not open yet."""
        return self._waiting.keys()

    def add(self, tasks: Collection[TaskId]) -> None:
        """These are to be opened as soon as it can be."""
        give_up_at = self._clock() + self._options.lock_timeout_s
        for task in tasks:
            self._waiting[task] = give_up_at

    def cancel(self, tasks: Collection[TaskId]) -> None:
        for task in tasks:
            self._waiting.pop(task, None)
            self._told.discard(task)

    def topics(self, tasks: Collection[TaskId]) -> set[str]:
        """What these tasks read."""
        return {topic for task in tasks for topic, _ in self._plan.inputs(task)}

    def directory(self, task: TaskId) -> Path:
        return self._options.application_dir / str(task)

    def close(self, task: Task, *, keep_state: bool = False) -> None:
        """Closes a task as it is, and notes how far its state is; or leaves the state open, for a standby."""
        if keep_state:
            task.close(keep_state=True)
            return
        try:
            leave_note(self.directory(task.id), task)
        except OSError as error:
            log.warning(
                "note_failed: where task %s goes next is decided without knowing its state: %s",
                task.id,
                error,
                extra={"task": str(task.id)},
            )
        try:
            task.close()
        except StoreError as error:  # a full disk, a directory that is gone: what made the worker fail says so
            log.warning("state_unclosed: task %s: %s", task.id, error, extra={"task": str(task.id)})

    def open(self, standby_state: Callable[[TaskId], TaskState | None]) -> list[Task]:
        """Opens what can be opened now.

        Args:
            standby_state: the state of a task that stands by here, which is open already.

        Raises:
            StateError: a directory cannot be opened, or was locked for too long.
            StreamsError: the committed offsets cannot be read.
        """
        states: dict[TaskId, TaskState] = {}
        own: list[TaskState] = []
        until = self._clock() + OPENING_S
        for task_id, give_up_at in self._waiting.items():
            if self._clock() >= until:
                break  # the others with the next call: tasks that run already do not wait for all of them
            state = standby_state(task_id)
            if state is None and (state := self.open_state(task_id, give_up_at)) is not None:
                own.append(state)
            if state is not None:
                states[task_id] = state
        if not states:
            return []
        opened: list[Task] = []
        try:
            committed = self._membership.committed([place for task in states for place in self._plan.inputs(task)])
            for task_id, state in states.items():
                opened.append(
                    Task(
                        task_id,
                        self._plan,
                        committed={place: committed.get(place) for place in self._plan.inputs(task_id)},
                        state=state,
                        global_stores=self._global_stores,
                        produce=self._producer.produce,
                        produce_full=self._producer.produce_full,
                        partitions=self._producer.partitions,
                        failures=self._failures,
                        max_task_idle_ms=self._options.max_task_idle_ms,
                        now=int(self._clock() * 1000),
                        wall_clock=self._wall_clock,
                        calls=self._calls,
                        tracing=self._tracing,
                    )
                )
        except CommitFailedError as error:
            for state in own:
                state.close()
            if not error.retriable:
                raise
            log.info("offsets_unread: %s; tried again", error)
            return []
        except BaseException:
            for state in own:
                state.close()
            raise
        self.cancel(states.keys())
        return opened

    def wipe(self, task: Task) -> None:
        """Closes a task whose state is of no use, deletes it, and will open it anew."""
        log.warning(
            "state_wiped: task %s was further than its changelog is (the topic was deleted and made anew?); "
            "its stores are restored from the beginning",
            task.id,
            extra={"task": str(task.id)},
        )
        task.close()
        shutil.rmtree(self.directory(task.id))
        self.add([task.id])

    def open_state(self, task: TaskId, give_up_at: float = math.inf) -> TaskState | None:
        """The task's state; None if it is locked and may be free later.

        Raises StateError: it cannot be opened, or was locked until `give_up_at`.
        """
        specs = [store.spec for store in self._plan.plan.subtopologies[task.subtopology].stores]
        directory = self.directory(task)
        try:
            directory.parent.mkdir(parents=True, exist_ok=True)
            return RocksDbTaskState.open(directory, specs, self._resources)
        except StateLockedError as error:
            if self._clock() >= give_up_at:
                raise StateError(
                    f"task {task}: {directory} has been in use by another process for "
                    f"{self._options.lock_timeout_s:.0f} s; two workers with the same tasks must not share a state "
                    "directory: stop the other one, or give this one its own (HEADRACE_STATE_DIR)",
                    task=str(task),
                ) from error
            if task not in self._told:
                self._told.add(task)
                log.info(
                    "state_locked: task %s waits for another process to close %s",
                    task,
                    directory,
                    extra={"task": str(task)},
                )
            return None
        except StoreCorruptError as error:
            if not all(spec.logged for spec in specs):
                raise StateError(f"task {task} cannot be opened: {error}", task=str(task)) from error
            log.warning("state_rebuilt: task %s: %s", task, error, extra={"task": str(task)})
            shutil.rmtree(directory)
            return RocksDbTaskState.open(directory, specs, self._resources)
        except StoreError as error:
            raise StateError(f"task {task} cannot be opened: {error}", task=str(task)) from error
        except OSError as error:
            raise StateError(
                f"task {task}: state directory {directory} cannot be used ({error}); choose another one "
                "(HEADRACE_STATE_DIR)",
                task=str(task),
            ) from error
