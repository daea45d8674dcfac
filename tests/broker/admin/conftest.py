"""A broker and an unmodified admin client for the admin tests."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient

from broker import Broker


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Of a broker that lives as long as the tests of this folder."""
    with Broker() as broker:
        yield broker.bootstrap_servers


@pytest.fixture(scope="session")
def admin(address: str) -> AdminClient:
    return AdminClient({"bootstrap.servers": address})


@pytest.fixture
def topic() -> str:
    """A topic name that no other test uses."""
    return f"topic-{uuid4().hex[:8]}"
