"""Metrics of a stream thread. Source: `stream-thread-metrics`, `stream-state-updater-metrics`."""

from __future__ import annotations

import time
from collections.abc import Iterable

from streams.observe.metric import Group, Labels, Metric, Scope
from streams.observe.reading import ThreadReading, WorkerReading


def threads(reading: WorkerReading) -> Iterable[tuple[Labels, ThreadReading]]:
    if reading.thread is not None:
        yield (reading.thread.name,), reading.thread


THREAD = Scope("The stream thread", ("thread_id",), threads)

thread = Group(THREAD, "kafka_streams_stream_thread_metrics")
updater = Group(THREAD, "kafka_streams_stream_state_updater_metrics")


def blocked_ns(of: ThreadReading) -> float:
    return of.poll.amount * 1e9 + sum(of.producer_ns.values())


THREAD_METRICS: tuple[Metric, ...] = (
    thread.gauge("process_rate", "records/s", "Records processed in a second.", lambda t: t.process.rate),
    thread.counter("process_total", "records", "Records processed.", lambda t: t.process.total),
    thread.gauge("process_latency_avg", "ms", "Mean time to process a record.", lambda t: t.process.mean * 1e3),
    thread.gauge(
        "process_latency_max",
        "ms",
        "Longest time to process a record, each taken as the mean of its turn of the loop.",
        lambda t: t.process.highest * 1e3,
    ),
    thread.gauge("process_ratio", "1", "Part of the time that went into processing.", lambda t: t.process.ratio),
    thread.gauge(
        "process_records_avg",
        "records",
        "Mean number of records processed in a turn.",
        lambda t: t.process_records.mean,
    ),
    thread.gauge(
        "process_records_max",
        "records",
        "Largest number of records processed in a turn.",
        lambda t: t.process_records.highest,
    ),
    thread.gauge("poll_rate", "polls/s", "Polls of the consumer in a second.", lambda t: t.poll.rate),
    thread.counter("poll_total", "polls", "Polls of the consumer.", lambda t: t.poll.total),
    thread.gauge("poll_latency_avg", "ms", "Mean time of a poll.", lambda t: t.poll.mean * 1e3),
    thread.gauge("poll_latency_max", "ms", "Longest time of a poll.", lambda t: t.poll.highest * 1e3),
    thread.gauge("poll_ratio", "1", "Part of the time that went into polls.", lambda t: t.poll.ratio),
    thread.gauge("poll_records_avg", "records", "Mean number of records of a poll.", lambda t: t.poll_records.mean),
    thread.gauge(
        "poll_records_max", "records", "Largest number of records of a poll.", lambda t: t.poll_records.highest
    ),
    thread.gauge("commit_rate", "commits/s", "Commits of tasks in a second.", lambda t: t.commit.rate),
    thread.counter("commit_total", "commits", "Commits of tasks.", lambda t: t.commit.total),
    thread.gauge("commit_latency_avg", "ms", "Mean time to commit a task.", lambda t: t.commit.mean * 1e3),
    thread.gauge("commit_latency_max", "ms", "Longest time to commit a task.", lambda t: t.commit.highest * 1e3),
    thread.gauge("commit_ratio", "1", "Part of the time that went into commits.", lambda t: t.commit.ratio),
    thread.gauge(
        "punctuate_rate", "calls/s", "Calls of wall-clock punctuators in a second.", lambda t: t.punctuate.rate
    ),
    thread.counter("punctuate_total", "calls", "Calls of wall-clock punctuators.", lambda t: t.punctuate.total),
    thread.gauge(
        "punctuate_latency_avg", "ms", "Mean time of wall-clock punctuators.", lambda t: t.punctuate.mean * 1e3
    ),
    thread.gauge(
        "punctuate_latency_max", "ms", "Longest time of wall-clock punctuators.", lambda t: t.punctuate.highest * 1e3
    ),
    thread.gauge(
        "punctuate_ratio", "1", "Part of the time that went into wall-clock punctuators.", lambda t: t.punctuate.ratio
    ),
    thread.gauge("task_created_rate", "tasks/s", "Tasks opened in a second.", lambda t: t.created.rate),
    thread.counter("task_created_total", "tasks", "Tasks opened.", lambda t: t.created.total),
    thread.gauge("task_closed_rate", "tasks/s", "Tasks closed in a second.", lambda t: t.closed.rate),
    thread.counter("task_closed_total", "tasks", "Tasks closed.", lambda t: t.closed.total),
    thread.counter(
        "blocked_time_ns_total",
        "ns",
        "Time spent in calls of the Kafka clients: polls, flushes, transactions, full queues (KIP-761).",
        blocked_ns,
    ),
    thread.gauge(
        "thread_start_time",
        "ms",
        "When the thread started, since the epoch.",
        lambda t: int((time.time() - t.began_ago_s) * 1e3),
    ),
    updater.gauge(
        "active_restoring_tasks",
        "tasks",
        "Tasks whose changelogs are being read back.",
        lambda t: len({each.task for each in t.restoring}),
    ),
    updater.gauge(
        "standby_updating_tasks",
        "tasks",
        "Tasks that stand by: their state is kept up to date here while they run elsewhere.",
        lambda t: len(t.standing_by),
    ),
    updater.gauge(
        "restore_records_rate", "records/s", "Changelog records restored in a second.", lambda t: t.restore.rate
    ),
    updater.counter("restore_records_total", "records", "Changelog records restored.", lambda t: t.restore.total),
    updater.gauge("active_restore_ratio", "1", "Part of the time that went into restoring.", lambda t: t.restore.ratio),
)
