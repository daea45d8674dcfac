"""What tests of the running worker need: a broker, topics, and workers that are stopped however the test ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import any_cluster
from tests.streams.runtime.bench import Bench


@pytest.fixture(scope="session")
def bootstrap_servers() -> Iterator[str]:
    """One broker for all tests of this process; each test has application and topics of its own."""
    with any_cluster() as servers:
        yield servers


@pytest.fixture
def bench(bootstrap_servers: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bench]:
    with Bench(bootstrap_servers, tmp_path, request.node.name) as ready:
        yield ready
