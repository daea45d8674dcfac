"""A broker for the transaction tests; topics and ids of their own for each of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from tests.cluster import any_cluster, elsewhere


@pytest.fixture(scope="package")
def servers() -> Iterator[str]:
    """Bootstrap servers of a broker that lives as long as the tests of this folder, or of a given cluster."""
    with any_cluster() as address:
        yield address


@pytest.fixture
def make_topic(servers: str) -> Callable[..., str]:
    """Makes a topic with that many partitions; returns its name."""
    admin = AdminClient({"bootstrap.servers": servers})

    def make(partitions: int = 1) -> str:
        name = f"topic-{uuid4().hex[:8]}"
        admin.create_topics([NewTopic(name, partitions)])[name].result(10)
        if elsewhere():
            time.sleep(0.5)  # Apache Kafka's coordinators hear of topics a moment later
        return name

    return make


@pytest.fixture
def unique() -> str:
    """A transactional id or group id that no other test uses."""
    return f"tx-{uuid4().hex[:8]}"
