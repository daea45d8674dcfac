"""Clients and topics for a measure."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

SILENT = logging.getLogger("bench.silent")
SILENT.addHandler(logging.NullHandler())
SILENT.propagate = False
TIMEOUT_S = 30.0


def config(servers: str, **more: Any) -> dict[str, Any]:
    return {"bootstrap.servers": servers, **{name.replace("_", "."): value for name, value in more.items()}}


@contextmanager
def topic(servers: str, partitions: int) -> Iterator[str]:
    """A topic for the length of the block."""
    admin = AdminClient(config(servers), logger=SILENT)
    name = f"bench-{uuid.uuid4().hex[:10]}"
    admin.create_topics([NewTopic(name, partitions, 1)])[name].result(TIMEOUT_S)
    wait_for_leaders(admin, name, partitions)
    try:
        yield name
    finally:
        admin.delete_topics([name])[name].result(TIMEOUT_S)


def wait_for_leaders(admin: AdminClient, name: str, partitions: int) -> None:
    """Apache Kafka answers before each partition has its leader; what follows would measure the wait."""
    while True:
        found = admin.list_topics(name, timeout=TIMEOUT_S).topics[name].partitions
        if len(found) == partitions and all(each.leader >= 0 for each in found.values()):
            return


def producer(servers: str, **more: Any) -> Producer:
    return Producer(config(servers, **more), logger=SILENT)


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]
