"""A broker and an unmodified admin client for the admin tests."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient

from tests.cluster import any_cluster


@pytest.fixture(scope="session")
def servers() -> Iterator[str]:
    """Bootstrap servers of a broker that lives as long as the tests of this folder, or of a given cluster."""
    with any_cluster() as address:
        yield address


@pytest.fixture(scope="session")
def admin(servers: str) -> AdminClient:
    return AdminClient({"bootstrap.servers": servers})


@pytest.fixture
def topic() -> str:
    """A topic name that no other test uses."""
    return f"topic-{uuid4().hex[:8]}"
