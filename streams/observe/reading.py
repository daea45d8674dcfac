"""A worker as it is at one moment: what metrics, health and dashboards are made of.

A reading is made when somebody asks, on the thread of whoever asks, from what the stream thread keeps anyway. Counts
that belong together may be a batch apart.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from streams.observe.meter import MeterReading
from streams.plan.task_id import TaskId
from streams.runtime.listener import RestoreProgress
from streams.runtime.phase import WorkerState


class InputReading(Struct, frozen=True, kw_only=True):
    """An input partition of a task."""

    topic: str
    partition: int
    node: str
    """The label of the source node it comes in at."""
    buffered_records: int
    buffered_bytes: int
    consumed: int
    process: MeterReading
    e2e: MeterReading
    """In ms."""
    lag: int | None
    """Offsets that are not processed yet; None while the end is not known."""


class StoreReading(Struct, frozen=True, kw_only=True):
    """A store of a task."""

    store: str
    kind: str
    figures: Mapping[str, int]
    """RocksDB's properties; nothing of a store in memory."""
    waiting_records: MeterReading | None
    """Of a buffer: samples of what waits in it."""
    waiting_bytes: MeterReading | None


class SkippedReading(Struct, frozen=True, kw_only=True):
    """Records on which an operator failed and that were skipped, and the error of the last."""

    node: str
    records: int
    last: str


class TaskReading(Struct, frozen=True, kw_only=True):
    """A task that is restored or runs. Times of meters are s, of `lateness` ms."""

    task: TaskId
    running: bool
    counters: Mapping[str, int]
    process: MeterReading
    punctuate: MeterReading
    commit: MeterReading
    restore: MeterReading
    drop: MeterReading
    lateness: MeterReading
    cache_bytes: int
    inputs: tuple[InputReading, ...]
    stores: tuple[StoreReading, ...]
    skipped: tuple[SkippedReading, ...] = ()


class StandbyReading(Struct, frozen=True, kw_only=True):
    """A store of a task that stands by. Offsets of its changelog."""

    task: TaskId
    store: str
    position: int
    end_offset: int

    @property
    def lag(self) -> int:
        """Records that it lacks, at most."""
        return self.end_offset - self.position


class ThreadReading(Struct, frozen=True, kw_only=True):
    """The stream thread. Times of meters are s."""

    name: str
    began_ago_s: float
    poll: MeterReading
    poll_records: MeterReading
    process: MeterReading
    process_records: MeterReading
    punctuate: MeterReading
    commit: MeterReading
    created: MeterReading
    closed: MeterReading
    restore: MeterReading
    rebalances: int
    assigned_ago_s: float
    """Since the last assignment, NaN before the first."""
    unreachable_since: int | None
    """Since when the broker is out of reach, ms since the epoch; None while it is not."""
    producer_ns: Mapping[str, int]
    restoring: tuple[RestoreProgress, ...]
    tasks: tuple[TaskReading, ...]
    standing_by: frozenset[TaskId]
    standbys: tuple[StandbyReading, ...]
    """Those whose lag is known."""


class WorkerReading(Struct, frozen=True, kw_only=True):
    """A worker in any state. `tasks`: those that run, and those that are opened or restored."""

    application_id: str
    client_id: str
    """The worker's name in the group once it has its slot."""
    state: WorkerState
    tasks: tuple[frozenset[TaskId], frozenset[TaskId]]
    thread: ThreadReading | None
    """None while the worker prepares its topics."""
