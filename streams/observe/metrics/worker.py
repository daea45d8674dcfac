"""Metrics of a worker as a whole. Source: `stream-metrics`, the client level."""

from __future__ import annotations

from collections.abc import Iterable

from streams.observe.metric import Group, Labels, Metric, Scope
from streams.observe.reading import WorkerReading
from streams.runtime.phase import WorkerState

STATE_NUMBERS = {
    WorkerState.CREATED: 0,
    WorkerState.REBALANCING: 1,
    WorkerState.RUNNING: 2,
    WorkerState.PENDING_SHUTDOWN: 3,
    WorkerState.NOT_RUNNING: 4,
    WorkerState.ERROR: 6,
}
"""Source: the ordinals of `KafkaStreams.State`; 5 would be PENDING_ERROR."""


def workers(reading: WorkerReading) -> Iterable[tuple[Labels, WorkerReading]]:
    yield (reading.client_id,), reading


def phases(reading: WorkerReading) -> Iterable[tuple[Labels, int]]:
    running, coming = reading.tasks
    yield (reading.client_id, "running"), len(running)
    yield (reading.client_id, "restoring"), len(coming)


WORKER = Scope("The worker", ("client_id",), workers)
PHASES = Scope("Its tasks, by what they do", ("client_id", "state"), phases)

stream = Group(WORKER, "kafka_streams_stream_metrics")
tasks = Group(PHASES, "headrace")

WORKER_METRICS: tuple[Metric, ...] = (
    stream.gauge(
        "client_state",
        "",
        "State of the worker: 0 created, 1 rebalancing, 2 running, 3 pending shutdown, 4 not running, 6 error.",
        lambda worker: STATE_NUMBERS[worker.state],
    ),
    stream.gauge(
        "alive_stream_threads",
        "threads",
        "Stream threads that work: 1 from the start of the worker to its end.",
        lambda worker: int(worker.thread is not None and worker.state not in ENDED),
    ),
    stream.gauge(
        "failed_stream_threads",
        "threads",
        "Stream threads that failed.",
        lambda worker: int(worker.state is WorkerState.ERROR),
    ),
    tasks.gauge("tasks", "tasks", "Tasks of the worker: running, or being opened and restored.", lambda count: count),
)

ENDED = frozenset({WorkerState.NOT_RUNNING, WorkerState.ERROR})
