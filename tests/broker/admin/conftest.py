"""A broker and an unmodified admin client for the admin tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient

from broker import Broker


@pytest.fixture(scope="session")
def servers() -> Iterator[str]:
    """Bootstrap servers of a broker that lives as long as the tests of this folder.

    With HEADRACE_TEST_BOOTSTRAP_SERVERS in the environment it is that one: the tests hold on Apache Kafka, too (4.3.1
    with group.initial.rebalance.delay.ms=0 and group.min.session.timeout.ms=1000).
    """
    elsewhere = os.environ.get("HEADRACE_TEST_BOOTSTRAP_SERVERS")
    if elsewhere:
        yield elsewhere
        return
    with Broker() as broker:
        yield broker.bootstrap_servers


@pytest.fixture(scope="session")
def admin(servers: str) -> AdminClient:
    return AdminClient({"bootstrap.servers": servers})


@pytest.fixture
def topic() -> str:
    """A topic name that no other test uses."""
    return f"topic-{uuid4().hex[:8]}"
