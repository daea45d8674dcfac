"""A worker as it is at one moment: what metrics, health and dashboards are made of.

A reading is made when somebody asks, on the thread of whoever asks, from what the stream thread keeps anyway. Counts
that belong together may be a batch apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from streams.observe.meter import MeterReading
from streams.plan.task_id import TaskId
from streams.runtime.listener import RestoreProgress
from streams.runtime.phase import WorkerState


@dataclass(frozen=True, slots=True, kw_only=True)
class InputReading:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreReading:
    """A store of a task."""

    store: str
    kind: str
    figures: Mapping[str, int]
    """RocksDB's properties; nothing of a store in memory."""
    waiting_records: MeterReading | None
    """Of a buffer: samples of what waits in it."""
    waiting_bytes: MeterReading | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedReading:
    """Records on which an operator failed and that were skipped, and the error of the last."""

    node: str
    records: int
    last: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskReading:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class StandbyReading:
    """A store of a task that stands by. Offsets of its changelog."""

    task: TaskId
    store: str
    position: int
    end_offset: int

    @property
    def lag(self) -> int:
        """Records that it lacks, at most."""
        return self.end_offset - self.position


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadReading:
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
    producer_ns: Mapping[str, int]
    restoring: tuple[RestoreProgress, ...]
    tasks: tuple[TaskReading, ...]
    standing_by: frozenset[TaskId]
    standbys: tuple[StandbyReading, ...]
    """Those whose lag is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerReading:
    """A worker in any state. `tasks`: those that run, and those that are opened or restored."""

    application_id: str
    client_id: str
    """The worker's name in the group once it has its slot."""
    state: WorkerState
    tasks: tuple[frozenset[TaskId], frozenset[TaskId]]
    thread: ThreadReading | None
    """None while the worker prepares its topics."""
