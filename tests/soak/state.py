"""Whether what lies in the stores is what their changelogs say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from stores import RocksDbResources, RocksDbTaskState
from streams.plan.plan import PartitionPlan
from streams.plan.task_id import TaskId

Records = list[tuple[int, tuple[bytes, bytes | None, int]]]
"""Offset, and key, value and timestamp of each."""


def committed_records(consumer: Consumer, places: Iterable[tuple[str, int]]) -> dict[str, Records]:
    """Every committed record of these partitions, by topic."""
    found: dict[str, Records] = {topic: [] for topic, _ in places}
    unread = set(found)
    consumer.assign([TopicPartition(topic, partition, 0) for topic, partition in places])
    while unread:
        for message in consumer.consume(10_000, 0.2):
            topic, key, offset = message.topic(), message.key(), message.offset()
            assert topic is not None
            if message.error() is not None:
                unread.discard(topic)
                continue
            assert isinstance(key, bytes)
            assert offset is not None
            found[topic].append((offset, (key, message.value(), message.timestamp()[1])))
    return found


def rows(state: RocksDbTaskState, store: str) -> list[Any]:
    with state.stores[store].reader().all() as found:
        return list(found)


def state_differences(servers: str, plan: PartitionPlan, application_dirs: Sequence[Path], scratch: Path) -> list[str]:
    """The stores that differ from what their changelogs alone restore to. No worker may run.

    A task that lies on several disks must be as its changelogs on that of its last owner; what others have, standbys
    and what owners left behind, must become so by reading the changelogs on from where it is. It is, afterwards.
    """
    differences: list[str] = []
    consumer = Consumer(
        {"bootstrap.servers": servers, "group.id": "soak-changelog", "enable.partition.eof": True, "log_level": 0}
    )
    try:
        for task in plan.tasks:
            stores = [store for store in plan.plan.subtopologies[task.subtopology].stores if store.changelog]
            directories = [each / str(task) for each in application_dirs if (each / str(task)).exists()]
            if not stores or not directories:
                continue
            specs = [store.spec for store in stores]
            records = committed_records(consumer, [(str(store.changelog), task.partition) for store in stores])
            with RocksDbTaskState.open(scratch / str(task), specs, RocksDbResources()) as restored:
                for store in stores:
                    logged = [record for _, record in records[str(store.changelog)]]
                    restored.restore(store.name, logged, len(logged))
                wanted = {store.name: rows(restored, store.name) for store in stores}
            whole = 0
            for directory in directories:
                with RocksDbTaskState.open(directory, specs, RocksDbResources()) as lived:
                    whole += all(rows(lived, name) == wanted[name] for name in wanted)
                    for store in stores:
                        position = lived.positions.get(store.name, 0)
                        rest = [record for at, record in records[str(store.changelog)] if at >= position]
                        lived.restore(store.name, rest, position)
                        if rows(lived, store.name) != wanted[store.name]:
                            differences.append(f"{directory} {store.name} is not what its changelog says")
            if not whole:
                differences.append(f"{task} is nowhere as its changelogs say, without reading on in them")
    finally:
        consumer.close()
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
