"""A broker for the tests of consumer groups; topics and groups of their own for each of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from tests.broker.groups.wire import WireClient, wire
from tests.cluster import any_cluster, elsewhere


@pytest.fixture(scope="session")
def servers() -> Iterator[str]:
    """Bootstrap servers of a broker that lives as long as the tests of this folder, or of a given cluster."""
    with any_cluster() as address:
        yield address


@pytest.fixture
def client(servers: str) -> Iterator[WireClient]:
    with wire(servers) as connected:
        yield connected


@pytest.fixture(scope="session")
def admin(servers: str) -> AdminClient:
    return AdminClient({"bootstrap.servers": servers})


@pytest.fixture
def make_topic(servers: str, admin: AdminClient) -> Callable[..., str]:
    """Makes a topic with that many partitions and records per partition; returns its name."""

    def make(partitions: int = 4, records: int = 0, prefix: str = "topic") -> str:
        name = f"{prefix}-{uuid4().hex[:8]}"
        admin.create_topics([NewTopic(name, partitions)])[name].result(10)
        producer = Producer({"bootstrap.servers": servers})
        for partition in range(partitions):
            for number in range(records):
                producer.produce(name, value=f"{partition}:{number}", partition=partition)
        assert producer.flush(10) == 0
        if elsewhere():
            time.sleep(0.5)  # Apache Kafka's coordinator hears of topics a moment later
        return name

    return make


@pytest.fixture
def group() -> str:
    """A group id that no other test uses."""
    return f"group-{uuid4().hex[:8]}"
