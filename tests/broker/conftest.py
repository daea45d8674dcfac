"""A broker for tests that need no more than an address."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from broker import Broker


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    """A broker process that lives as long as the module's tests; topics are made on first use."""
    with Broker() as running:
        yield running
