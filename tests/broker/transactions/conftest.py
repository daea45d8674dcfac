"""A broker for the transaction tests; topics and ids of their own for each of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from broker import Broker


@pytest.fixture(scope="package")
def servers() -> Iterator[str]:
    """Bootstrap servers of a broker that lives as long as the tests of this folder.

    With HEADRACE_TEST_BOOTSTRAP_SERVERS in the environment it is that one: the tests hold on Apache Kafka, too.
    """
    elsewhere = os.environ.get("HEADRACE_TEST_BOOTSTRAP_SERVERS")
    if elsewhere:
        yield elsewhere
        return
    with Broker() as broker:
        yield broker.bootstrap_servers


@pytest.fixture
def make_topic(servers: str) -> Callable[..., str]:
    """Makes a topic with that many partitions; returns its name."""
    admin = AdminClient({"bootstrap.servers": servers})

    def make(partitions: int = 1) -> str:
        name = f"topic-{uuid4().hex[:8]}"
        admin.create_topics([NewTopic(name, partitions)])[name].result(10)
        return name

    return make


@pytest.fixture
def unique() -> str:
    """A transactional id or group id that no other test uses."""
    return f"tx-{uuid4().hex[:8]}"
