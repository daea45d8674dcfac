"""Metrics of tasks and of their inputs. Source: `stream-task-metrics`, `stream-processor-node-metrics`,
`stream-topic-metrics`."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from streams.observe.counters import COUNTER_HELP
from streams.observe.metric import Group, Labels, Metric, Scope
from streams.observe.reading import InputReading, TaskReading, ThreadReading, WorkerReading


class TaskOf(NamedTuple):
    """A task, and the thread that runs it."""

    task: TaskReading
    thread: ThreadReading

    @property
    def active_ratio(self) -> float:
        """Its part of the thread's processing."""
        return self.task.process.ratio / self.thread.process.ratio if self.thread.process.ratio else math.nan

    @property
    def restore_remaining(self) -> int:
        return sum(each.remaining for each in self.thread.restoring if each.task == self.task.task)


def tasks(reading: WorkerReading) -> Iterable[tuple[Labels, TaskOf]]:
    if reading.thread is not None:
        for task in reading.thread.tasks:
            yield (reading.thread.name, str(task.task)), TaskOf(task, reading.thread)


def inputs(reading: WorkerReading) -> Iterable[tuple[Labels, InputReading]]:
    for labels, (task, _) in tasks(reading):
        for each in task.inputs:
            yield (*labels, each.node, each.topic), each


TASK = Scope("Tasks", ("thread_id", "task_id"), tasks)
INPUT = Scope("Source nodes", ("thread_id", "task_id", "processor_node_id", "topic"), inputs)

task = Group(TASK, "kafka_streams_stream_task_metrics")
counted = Group(TASK, "headrace_task")
node = Group(INPUT, "kafka_streams_stream_processor_node_metrics")
topic = Group(INPUT, "kafka_streams_stream_topic_metrics")


def counter(name: str) -> Metric:
    """One of the task's own counters."""
    return counted.counter(f"{name}_total", "", COUNTER_HELP[name], lambda of: of.task.counters[name])


TASK_METRICS: tuple[Metric, ...] = (
    task.gauge("process_rate", "records/s", "Records processed in a second.", lambda of: of.task.process.rate),
    task.counter("process_total", "records", "Records processed.", lambda of: of.task.process.total),
    task.gauge("process_latency_avg", "ns", "Mean time to process a record.", lambda of: of.task.process.mean * 1e9),
    task.gauge(
        "process_latency_max",
        "ns",
        "Longest time to process a record, each taken as the mean of its batch.",
        lambda of: of.task.process.highest * 1e9,
    ),
    task.gauge(
        "active_process_ratio", "1", "Part of the thread's processing that was this task's.", lambda of: of.active_ratio
    ),
    task.gauge(
        "punctuate_rate", "calls/s", "Calls of wall-clock punctuators in a second.", lambda of: of.task.punctuate.rate
    ),
    task.counter("punctuate_total", "calls", "Calls of wall-clock punctuators.", lambda of: of.task.punctuate.total),
    task.gauge(
        "punctuate_latency_avg",
        "ns",
        "Mean time of wall-clock punctuators.",
        lambda of: of.task.punctuate.mean * 1e9,
    ),
    task.gauge(
        "punctuate_latency_max",
        "ns",
        "Longest time of wall-clock punctuators.",
        lambda of: of.task.punctuate.highest * 1e9,
    ),
    task.gauge("commit_rate", "commits/s", "Commits in a second.", lambda of: of.task.commit.rate),
    task.counter("commit_total", "commits", "Commits.", lambda of: of.task.commit.total),
    task.gauge(
        "dropped_records_rate", "records/s", "Records dropped or skipped in a second.", lambda of: of.task.drop.rate
    ),
    task.counter(
        "dropped_records_total",
        "records",
        "Records dropped or skipped, for whatever reason; the reasons are counted by headrace_task_dropped_... "
        "and headrace_task_skipped_...",
        lambda of: of.task.drop.total,
    ),
    task.gauge(
        "record_lateness_avg",
        "ms",
        "Mean of how far records are behind the largest timestamp of their partition (one record of each partition "
        "every 100 ms).",
        lambda of: of.task.lateness.mean,
    ),
    task.gauge("record_lateness_max", "ms", "The furthest of them.", lambda of: of.task.lateness.highest),
    task.gauge(
        "active_buffer_count",
        "records",
        "Records read but not processed yet.",
        lambda of: sum(each.buffered_records for each in of.task.inputs),
    ),
    task.gauge(
        "input_buffer_bytes_total",
        "bytes",
        "Memory of records read but not processed yet, estimated.",
        lambda of: sum(each.buffered_bytes for each in of.task.inputs),
    ),
    task.gauge(
        "cache_size_bytes_total",
        "bytes",
        "Memory of decoded rows, changed and unchanged, estimated.",
        lambda of: of.task.cache_bytes,
    ),
    task.gauge("restore_rate", "records/s", "Changelog records restored in a second.", lambda of: of.task.restore.rate),
    task.counter("restore_total", "records", "Changelog records restored.", lambda of: of.task.counters["restored"]),
    task.gauge(
        "restore_remaining_records_total",
        "records",
        "Offsets of changelogs that are still to be read back.",
        lambda of: of.restore_remaining,
    ),
    *(counter(name) for name in COUNTER_HELP),
    node.gauge("process_rate", "records/s", "Records processed in a second.", lambda each: each.process.rate),
    node.counter(
        "process_total",
        "records",
        "Records that came in at a source node (of repartition topics watermarks, too).",
        lambda each: each.consumed,
    ),
    node.gauge(
        "record_e2e_latency_avg",
        "ms",
        "Mean time from a record's timestamp to the end of its processing (one record every 100 ms).",
        lambda each: each.e2e.mean,
    ),
    node.gauge("record_e2e_latency_min", "ms", "The shortest of these.", lambda each: each.e2e.lowest),
    node.gauge("record_e2e_latency_max", "ms", "The longest of these.", lambda each: each.e2e.highest),
    topic.counter(
        "records_consumed_total", "records", "Records consumed from a topic and processed.", lambda each: each.consumed
    ),
)
