"""A worker's figures as pages get them, once a second: totals, so that whoever keeps two knows the rate between them.

A snapshot is made of what the stream thread keeps anyway, on the thread of whoever asks, and only when somebody asks.
"""

from __future__ import annotations

import os
import socket
import time

import msgspec

from streams.observe.reading import InputReading, StoreReading, TaskReading, ThreadReading, WorkerReading
from streams.query.subject import Subject

KEYS = "estimate-num-keys"
BYTES_OF_STORE = ("live-sst-files-size", "cur-size-all-mem-tables")
LONGEST_ERROR = 600


class InputFigures(msgspec.Struct, frozen=True, omit_defaults=True):
    """An input partition of a task. `processed`: records so far; `lag`: offsets to go, None while that is unknown;
    `late_ms`: mean time from a record's timestamp to the end of its processing, lately."""

    topic: str
    partition: int
    node: str
    processed: int
    lag: int | None
    buffered: int
    late_ms: float | None


class StoreFigures(msgspec.Struct, frozen=True, omit_defaults=True):
    """A store of a task. `rows` and `bytes` as RocksDB estimates them, None in memory; `waiting`: records in a
    buffer."""

    kind: str
    rows: int | None = None
    bytes: int | None = None
    waiting: float | None = None


class SkippedFigures(msgspec.Struct, frozen=True):
    """Records on which an operator failed and that were skipped, and the error of the last."""

    records: int
    last: str


class TaskFigures(msgspec.Struct, frozen=True, omit_defaults=True):
    """A task that is restored or runs. Counts since it was opened here; `commit_s` is what its commits took, `failed`
    by the label of the operator."""

    running: bool
    processed: int
    dropped: int
    skipped: int
    dead_letters: int
    restored: int
    commits: int
    commit_s: float
    cache_bytes: int
    inputs: list[InputFigures]
    stores: dict[str, StoreFigures]
    failed: dict[str, SkippedFigures] = {}


class RestoreFigures(msgspec.Struct, frozen=True):
    """A store that is read back from its changelog. Offsets."""

    task: str
    store: str
    start: int
    position: int
    end: int
    records_per_s: float
    eta_s: float | None


class StandbyFigures(msgspec.Struct, frozen=True):
    """A store of a task that stands by: its place in the changelog, and where that ends."""

    task: str
    store: str
    position: int
    end: int


class ThreadFigures(msgspec.Struct, frozen=True):
    """The stream thread since it began: tasks committed and the seconds it took, seconds spent processing and polling.
    `commit_ms` and `commit_max_ms` are of the last half minute to minute; `unreachable_since`: the broker is out of
    reach since then, ms since the epoch."""

    up_s: float
    commits: int
    commit_s: float
    commit_ms: float | None
    commit_max_ms: float | None
    process_s: float
    poll_s: float
    rebalances: int
    unreachable_since: int | None


class WorkerFigures(msgspec.Struct, frozen=True):
    """A worker at one moment. `cpu_s`: processor time of its process so far. `tasks` by their ids."""

    name: str
    endpoint: str | None
    host: str
    pid: int
    state: str
    cpu_s: float
    thread: ThreadFigures | None
    tasks: dict[str, TaskFigures]
    standing_by: list[str]
    restoring: list[RestoreFigures]
    standbys: list[StandbyFigures]


def snapshot(subject: Subject) -> WorkerFigures:
    """From any thread, in any state of the worker."""
    reading = subject.reading()
    thread = reading.thread
    return WorkerFigures(
        name=reading.client_id,
        endpoint=subject.endpoint,
        host=socket.gethostname(),
        pid=os.getpid(),
        state=reading.state.value,
        cpu_s=time.process_time(),
        thread=None if thread is None else _thread(thread),
        tasks=_tasks(reading),
        standing_by=[] if thread is None else [str(task) for task in sorted(thread.standing_by)],
        restoring=[]
        if thread is None
        else [
            RestoreFigures(
                str(each.task),
                each.store,
                each.start_offset,
                each.position,
                each.end_offset,
                each.records_per_s,
                each.eta_s,
            )
            for each in thread.restoring
            if not each.done
        ],
        standbys=[]
        if thread is None
        else [StandbyFigures(str(each.task), each.store, each.position, each.end_offset) for each in thread.standbys],
    )


def _thread(thread: ThreadReading) -> ThreadFigures:
    return ThreadFigures(
        up_s=thread.began_ago_s,
        commits=thread.commit.total,
        commit_s=thread.commit.amount,
        commit_ms=known(thread.commit.mean, 1000),
        commit_max_ms=known(thread.commit.highest, 1000),
        process_s=thread.process.amount,
        poll_s=thread.poll.amount,
        rebalances=thread.rebalances,
        unreachable_since=thread.unreachable_since,
    )


def _tasks(reading: WorkerReading) -> dict[str, TaskFigures]:
    """Those that are open; of those on their way here at least that they are."""
    running, coming = reading.tasks
    found = {str(task): nothing_yet(task in running) for task in sorted(running | coming)}
    if reading.thread is not None:
        found |= {str(task.task): _task(task) for task in reading.thread.tasks}
    return found


def nothing_yet(running: bool) -> TaskFigures:
    return TaskFigures(running, 0, 0, 0, 0, 0, 0, 0.0, 0, [], {})


def _task(task: TaskReading) -> TaskFigures:
    counters = task.counters
    return TaskFigures(
        running=task.running,
        processed=counters["processed"],
        dropped=sum(count for name, count in counters.items() if name.startswith("dropped_")),
        skipped=sum(count for name, count in counters.items() if name.startswith("skipped_")),
        dead_letters=sum(count for name, count in counters.items() if name.startswith("dead_lettered_")),
        restored=counters["restored"],
        commits=counters["commits"],
        commit_s=task.commit.amount,
        cache_bytes=task.cache_bytes,
        inputs=[_input(each) for each in task.inputs],
        stores={each.store: _store(each) for each in task.stores},
        failed={each.node: SkippedFigures(each.records, shortened(each.last)) for each in task.skipped},
    )


def _input(each: InputReading) -> InputFigures:
    return InputFigures(
        topic=each.topic,
        partition=each.partition,
        node=each.node,
        processed=each.consumed,
        lag=each.lag,
        buffered=each.buffered_records,
        late_ms=known(each.e2e.mean),
    )


def _store(each: StoreReading) -> StoreFigures:
    figures = each.figures
    waiting = None if each.waiting_records is None else known(each.waiting_records.mean)
    if KEYS not in figures:
        return StoreFigures(each.kind, waiting=waiting)
    return StoreFigures(each.kind, figures[KEYS], sum(figures.get(name, 0) for name in BYTES_OF_STORE), waiting)


def shortened(text: str) -> str:
    """An error may quote a whole record."""
    return text if len(text) <= LONGEST_ERROR else f"{text[:LONGEST_ERROR]} …"


def known(number: float, factor: float = 1.0) -> float | None:
    """None for NaN: nothing was measured lately."""
    return None if number != number else round(number * factor, 3)
