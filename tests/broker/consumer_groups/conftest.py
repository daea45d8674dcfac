"""A broker for the tests of consumer groups; topics and groups of their own for each of them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from broker import Broker
from tests.broker.groups.wire import WireClient, wire

ELSEWHERE = os.environ.get("HEADRACE_TEST_BOOTSTRAP_SERVERS", "")


@pytest.fixture(scope="session")
def servers() -> Iterator[str]:
    """Bootstrap servers of a broker that lives as long as the tests of this folder.

    With HEADRACE_TEST_BOOTSTRAP_SERVERS in the environment it is that one: the tests hold on Apache Kafka, too (4.3.1
    with group.initial.rebalance.delay.ms=0, group.min.session.timeout.ms=1000 and
    group.consumer.min.session.timeout.ms=1000, group.consumer.min.heartbeat.interval.ms=100).
    """
    if ELSEWHERE:
        yield ELSEWHERE
        return
    with Broker() as broker:
        yield broker.bootstrap_servers


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
        if ELSEWHERE:
            time.sleep(0.5)  # Apache Kafka's coordinator hears of topics a moment later
        return name

    return make


@pytest.fixture
def group() -> str:
    """A group id that no other test uses."""
    return f"group-{uuid4().hex[:8]}"
