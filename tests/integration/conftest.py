"""A cluster for each test of whole applications: their names are fixed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster import Cluster, empty_cluster


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """Without topics and groups."""
    with empty_cluster() as found:
        yield found
