"""Fields of requests that scripts use again and again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from broker.protocol.batches import TRANSACTIONAL, encode_batch

SECOND = timedelta(seconds=1)
TIME = 1_600_000_000_000
"""Timestamp of records unless a step says another one: long past, so that it is never taken for the clock."""


def batch(
    *values: str, timestamp: int = TIME, attributes: int = 0, producer: tuple[int, int, int] | None = None
) -> bytes:
    """Records with the key "k"; `producer`: id, epoch, base sequence."""
    records = [(b"k", value.encode()) for value in values]
    if producer is None:
        return bytes(encode_batch(records, timestamp, attributes=attributes))
    identity, epoch, sequence = producer
    return bytes(
        encode_batch(
            records,
            timestamp,
            attributes=attributes,
            producer_id=identity,
            producer_epoch=epoch,
            base_sequence=sequence,
        )
    )


def transactional(*values: str, producer: tuple[int, int, int]) -> bytes:
    return batch(*values, attributes=TRANSACTIONAL, producer=producer)


def produce(
    records: bytes | None,
    topic: str = "t",
    *,
    topic_id: UUID | None = None,
    partition: int = 0,
    acks: int = -1,
    transactional_id: str | None = None,
) -> dict[str, Any]:
    """Of Produce: one batch for one partition."""
    data = [{"index": partition, "records": records}]
    return {
        "transactional_id": transactional_id,
        "acks": acks,
        "timeout": 5 * SECOND,
        "topic_data": [{"name": topic, "topic_id": topic_id, "partition_data": data}],
    }


def fetch(
    offset: int,
    topic: str = "t",
    *,
    topic_id: UUID | None = None,
    partition: int = 0,
    epoch: int = -1,
    isolation: int = 0,
    max_bytes: int = 1 << 20,
    partition_max_bytes: int = 1 << 20,
    wait_ms: int = 0,
    min_bytes: int = 0,
    session_id: int = 0,
    session_epoch: int = -1,
    last_epoch: int = -1,
) -> dict[str, Any]:
    """Of Fetch: one partition, outside of sessions and without waiting."""
    asked = {
        "partition": partition,
        "current_leader_epoch": epoch,
        "fetch_offset": offset,
        "last_fetched_epoch": last_epoch,
        "log_start_offset": -1,
        "partition_max_bytes": partition_max_bytes,
    }
    return {
        "replica_id": -1,
        "max_wait": timedelta(milliseconds=wait_ms),
        "min_bytes": min_bytes,
        "max_bytes": max_bytes,
        "isolation_level": isolation,
        "session_id": session_id,
        "session_epoch": session_epoch,
        "topics": [{"topic": topic, "topic_id": topic_id, "partitions": [asked]}],
        "forgotten_topics_data": [],
        "rack_id": "",
    }


def list_offsets(
    timestamp: int, topic: str = "t", *, partition: int = 0, epoch: int = -1, isolation: int = 0
) -> dict[str, Any]:
    asked = {"partition_index": partition, "current_leader_epoch": epoch, "timestamp": timestamp}
    return {
        "replica_id": -1,
        "isolation_level": isolation,
        "topics": [{"name": topic, "partitions": [asked]}],
        "timeout": 5 * SECOND,
    }


def topic(
    name: str,
    partitions: int = 1,
    *,
    replication: int = 1,
    assignments: Sequence[tuple[int, Sequence[int]]] = (),
    **configs: str | None,
) -> dict[str, Any]:
    """Of CreateTopics: one topic; configs with underscores for dots."""
    return {
        "name": name,
        "num_partitions": partitions,
        "replication_factor": replication,
        "assignments": [{"partition_index": index, "broker_ids": tuple(nodes)} for index, nodes in assignments],
        "configs": [{"name": key.replace("_", "."), "value": value} for key, value in configs.items()],
    }


def create(*topics: dict[str, Any], validate_only: bool = False) -> dict[str, Any]:
    return {"topics": list(topics), "timeout": 10 * SECOND, "validate_only": validate_only}
