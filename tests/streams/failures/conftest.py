"""A broker that makes no topics by itself, for the workers of these tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from broker import Broker
from tests.streams.runtime.bench import Bench


@pytest.fixture(scope="session")
def strict_broker() -> Iterator[Broker]:
    with Broker(auto_create_topics=False) as broker:
        yield broker


@pytest.fixture
def bench(strict_broker: Broker, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bench]:
    with Bench(strict_broker.bootstrap_servers, tmp_path / "run", request.node.name.removeprefix("test_")) as ready:
        yield ready
