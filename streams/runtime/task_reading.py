"""What a task tells of itself to whoever looks from outside."""

from __future__ import annotations

from collections.abc import Mapping

from stores import StoreClosedError, TimeBuffer
from streams.observe.reading import InputReading, SkippedReading, StoreReading, TaskReading
from streams.runtime.buffers import PartitionBuffer
from streams.runtime.phase import TaskPhase
from streams.runtime.task import Task


def measure_task(task: Task, now: float) -> None:
    """Takes stock for `read_task`; the stream thread does it once a second. `now`: s of its clock."""
    task.meters.count(task.counters, now)
    for buffer in task.inputs.buffers:
        task.meters.count_input(buffer.meters, now)
    if task.phase is not TaskPhase.RUNNING:
        return
    clean_bytes = 0
    for name, store in task.state.stores.items():
        clean_bytes += len(store.clean) * store.clean.row_bytes
        if isinstance(store, TimeBuffer):
            task.meters.count_waiting(name, store.count, store.size_bytes, now)
    task.meters.cache_bytes = clean_bytes + task.state.dirty_bytes


def read_task(task: Task, now: float) -> TaskReading:
    """What it measured, and how it stands. From any thread; `now`: s of the thread's clock."""
    meters = task.meters
    return TaskReading(
        task=task.id,
        running=task.phase is TaskPhase.RUNNING,
        counters=task.counters.snapshot(),
        process=meters.process.read(now),
        punctuate=meters.punctuate.read(now),
        commit=meters.commit.read(now),
        restore=meters.restore.read(now),
        drop=meters.drop.read(now),
        lateness=meters.lateness.read(now),
        cache_bytes=meters.cache_bytes,
        inputs=tuple(_read_input(buffer, now) for buffer in task.inputs.buffers),
        stores=tuple(_read_store(task, name, now) for name in task.state.stores),
        skipped=tuple(
            SkippedReading(node=node, records=at.records, last=at.last)
            for node, at in dict(task.counters.skipped_at).items()  # a copy: the stream thread may add one meanwhile
        ),
    )


def _read_input(buffer: PartitionBuffer, now: float) -> InputReading:
    return InputReading(
        topic=buffer.topic,
        partition=buffer.partition,
        node=buffer.source.node.label,
        buffered_records=buffer.count,
        buffered_bytes=buffer.buffered_bytes,
        consumed=buffer.meters.consumed,
        process=buffer.meters.process.read(now),
        e2e=buffer.meters.e2e.read(now),
        lag=buffer.lag(),
    )


def _read_store(task: Task, name: str, now: float) -> StoreReading:
    figures: Mapping[str, int]
    try:
        figures = task.state.figures(name)
    except StoreClosedError:  # the task has just left
        figures = {}
    waiting = task.meters.waiting.get(name)
    return StoreReading(
        store=name,
        kind=task.subtopology.store(name).kind,
        figures=figures,
        waiting_records=waiting[0].read(now) if waiting else None,
        waiting_bytes=waiting[1].read(now) if waiting else None,
    )
