"""What a worker tells about itself while it runs, for whoever shows it live."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

from msgspec import Struct

from streams.plan.task_id import TaskId
from streams.runtime.phase import WorkerState


class RestoreProgress(Struct, frozen=True, kw_only=True):
    """How far one changelog partition is read back. Counts are offsets, an upper bound of the records."""

    task: TaskId
    store: str
    topic: str
    start_offset: int
    position: int
    end_offset: int
    records: int
    """Records applied so far."""
    records_per_s: float
    done: bool

    @property
    def remaining(self) -> int:
        return max(self.end_offset - self.position, 0)

    @property
    def eta_s(self) -> float | None:
        """Seconds to go at the rate so far; None while there is no rate."""
        if self.done:
            return 0.0
        passed = self.position - self.start_offset
        if passed <= 0 or self.records_per_s <= 0 or self.records == 0:
            return None
        return self.remaining * (self.records / passed) / self.records_per_s


StandbyEnd = Literal["promoted", "migrated"]
"""`promoted`: the task runs here from now on, with this store. `migrated`: it stands by here no longer."""


class StandbyUpdate(Struct, frozen=True, kw_only=True):
    """How far the store of a task that stands by is in its changelog: everything before `position` is in it, and
    `end_offset` is where the changelog ended, as far as is known (None: nobody has said yet)."""

    task: TaskId
    store: str
    topic: str
    partition: int
    position: int
    end_offset: int | None


class WorkerListener(Protocol):
    """Called on the stream thread: answer quickly, do not raise."""

    def on_state(self, before: WorkerState, after: WorkerState) -> None: ...

    def on_tasks(self, running: frozenset[TaskId], restoring: frozenset[TaskId]) -> None:
        """The worker's tasks after any of them started, was restored or was given away."""
        ...

    def on_restore(self, progress: RestoreProgress) -> None:
        """At the start, about once a second, and at the end of each changelog partition."""
        ...

    def on_standbys(self, tasks: frozenset[TaskId]) -> None:
        """The tasks that stand by here, a moment after that has changed."""
        ...

    def on_standby_start(self, update: StandbyUpdate) -> None:
        """A store of a task that stands by is fed from now on. Source: `onUpdateStart` (KIP-988)."""
        ...

    def on_standby_batch(self, update: StandbyUpdate, records: int) -> None:
        """So many records of its changelog were taken in. Source: `onBatchLoaded`."""
        ...

    def on_standby_end(self, update: StandbyUpdate, reason: StandbyEnd) -> None:
        """It is fed no longer. Source: `onUpdateSuspended`."""
        ...

    def on_commit(self, tasks: frozenset[TaskId], duration_s: float) -> None: ...

    def on_progress(self, counters: Mapping[str, int]) -> None:
        """Sums over all tasks since the worker started, about four times a second while there is anything new."""
        ...

    def on_endpoint(self, endpoint: str | None) -> None:
        """`host:port` of the query server; None once it is gone."""
        ...


class Silent:
    """A listener that does nothing; extend it to hear one thing."""

    def on_state(self, before: WorkerState, after: WorkerState) -> None:
        pass

    def on_tasks(self, running: frozenset[TaskId], restoring: frozenset[TaskId]) -> None:
        pass

    def on_restore(self, progress: RestoreProgress) -> None:
        pass

    def on_standbys(self, tasks: frozenset[TaskId]) -> None:
        pass

    def on_standby_start(self, update: StandbyUpdate) -> None:
        pass

    def on_standby_batch(self, update: StandbyUpdate, records: int) -> None:
        pass

    def on_standby_end(self, update: StandbyUpdate, reason: StandbyEnd) -> None:
        pass

    def on_commit(self, tasks: frozenset[TaskId], duration_s: float) -> None:
        pass

    def on_progress(self, counters: Mapping[str, int]) -> None:
        pass

    def on_endpoint(self, endpoint: str | None) -> None:
        pass
