"""Whether what lies in the stores is what their changelogs say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from stores import RocksDbResources, RocksDbTaskState
from streams.plan.plan import PartitionPlan
from streams.plan.task_id import TaskId


def committed_records(servers: str, topic: str, partition: int) -> Iterator[tuple[bytes, bytes | None, int]]:
    """Key, value and timestamp of every committed record of a partition."""
    consumer = Consumer(
        {"bootstrap.servers": servers, "group.id": "soak-changelog", "enable.partition.eof": True, "log_level": 0}
    )
    try:
        consumer.assign([TopicPartition(topic, partition, 0)])
        while True:
            messages = consumer.consume(10_000, 0.2)
            for message in messages:
                if message.error() is not None:
                    return
                key = message.key()
                assert isinstance(key, bytes)
                yield key, message.value(), message.timestamp()[1]
    finally:
        consumer.close()


def rows(state: RocksDbTaskState, store: str) -> list[Any]:
    with state.stores[store].reader().all() as found:
        return list(found)


def state_differences(servers: str, plan: PartitionPlan, application_dir: Path, scratch: Path) -> list[str]:
    """The stores that differ from what their changelogs alone restore to. No worker may run."""
    differences: list[str] = []
    for task in plan.tasks:
        stores = [store for store in plan.plan.subtopologies[task.subtopology].stores if store.changelog is not None]
        directory = application_dir / str(task)
        if not stores or not directory.exists():
            continue
        specs = [store.spec for store in stores]
        with (
            RocksDbTaskState.open(directory, specs, RocksDbResources()) as lived,
            RocksDbTaskState.open(scratch / str(task), specs, RocksDbResources()) as restored,
        ):
            for store in stores:
                assert store.changelog is not None
                records = list(committed_records(servers, store.changelog, task.partition))
                restored.restore(store.name, records, len(records))
                if rows(lived, store.name) != rows(restored, store.name):
                    differences.append(f"{task} {store.name}")
    return differences


def store_rows(plan: PartitionPlan, application_dir: Path, store: str) -> Mapping[TaskId, Mapping[Any, Any]]:
    """The rows of one store, of all tasks that have it on this disk."""
    found: dict[TaskId, Mapping[Any, Any]] = {}
    for task in plan.tasks:
        specs = [made.spec for made in plan.plan.subtopologies[task.subtopology].stores]
        if any(spec.name == store for spec in specs) and (application_dir / str(task)).exists():
            with RocksDbTaskState.open(application_dir / str(task), specs, RocksDbResources()) as state:
                found[task] = dict(rows(state, store))
    return found
