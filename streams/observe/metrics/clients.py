"""Metrics of the Kafka clients. Source: `consumer-fetch-manager-metrics`, `consumer-coordinator-metrics`,
`producer-metrics`."""

from __future__ import annotations

from collections.abc import Iterable

from streams.observe.metric import Group, Labels, Metric, Scope
from streams.observe.metrics.tasks import tasks
from streams.observe.reading import InputReading, ThreadReading, WorkerReading


def clients(reading: WorkerReading) -> Iterable[tuple[Labels, ThreadReading]]:
    if reading.thread is not None:
        yield (reading.client_id,), reading.thread


def partitions(reading: WorkerReading) -> Iterable[tuple[Labels, InputReading]]:
    for _, (task, _) in tasks(reading):
        for each in task.inputs:
            yield (reading.client_id, each.topic, str(each.partition)), each


CLIENT = Scope("The worker's consumer, group member and producer", ("client_id",), clients)
PARTITION = Scope("Partitions that are read", ("client_id", "topic", "partition"), partitions)

fetches = Group(CLIENT, "kafka_consumer_consumer_fetch_manager_metrics")
fetched = Group(PARTITION, "kafka_consumer_consumer_fetch_manager_metrics")
coordinator = Group(CLIENT, "kafka_consumer_consumer_coordinator_metrics")
producer = Group(CLIENT, "kafka_producer_producer_metrics")


def largest_lag(of: ThreadReading) -> float | None:
    return max((each.lag for task in of.tasks for each in task.inputs if each.lag is not None), default=None)


def waited(name: str, what: str) -> Metric:
    return producer.counter(
        f"{name}_time_ns_total", "ns", f"Time spent {what} (KIP-761).", lambda of: of.producer_ns[name]
    )


CLIENT_METRICS: tuple[Metric, ...] = (
    fetched.gauge(
        "records_lag",
        "records",
        "Offsets of a partition that are not processed yet, its end as the last fetch told it.",
        lambda each: each.lag,
    ),
    fetches.gauge("records_lag_max", "records", "The largest lag of all partitions.", largest_lag),
    coordinator.counter(
        "rebalance_total", "rebalances", "Assignments of tasks by the group.", lambda of: of.rebalances
    ),
    coordinator.gauge("last_rebalance_seconds_ago", "s", "Time since the last of them.", lambda of: of.assigned_ago_s),
    coordinator.gauge(
        "assigned_partitions",
        "partitions",
        "Partitions that are read.",
        lambda of: sum(len(task.inputs) for task in of.tasks if task.running),
    ),
    waited("flush", "waiting until the broker has acknowledged what was sent"),
    waited("bufferpool_wait", "waiting for room in the producer's queue"),
    waited("txn_init", "preparing transactions"),
    waited("txn_begin", "beginning transactions"),
    waited("txn_send_offsets", "sending offsets to transactions"),
    waited("txn_commit", "committing transactions, what was sent before included"),
    waited("txn_abort", "aborting transactions"),
)
