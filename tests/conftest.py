"""What holds for all tests: the order of their files, that Ctrl-C reaches the processes they start, that properties
are tried with the same examples each time, however long that takes, and what runs on a cluster from elsewhere."""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

from tests.cluster import CHOSEN, VARIABLE, elsewhere
from tests.streams.examples import examples

EXAMPLES = 40
"""How many of them a property is tried with that says nothing else."""

LONGEST_FIRST = (
    *("tests/soak", "tests/integration", "tests/cli", "tests/demo", "tests/streams/query"),
    *("tests/conformance", "tests/streams/joins", "tests/broker"),
)
"""Files that begin with these are begun first: a long one that comes last leaves the other core idle."""


def pytest_configure(config: pytest.Config) -> None:
    if servers := config.getoption("--bootstrap-servers"):
        os.environ[VARIABLE] = servers
    # How fast examples are made and tried is the machine's doing, and that of what runs beside it.
    settings.register_profile("headrace", examples(EXAMPLES), suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("headrace")
    # A shell starts what it puts into the background with SIGINT ignored, and that is inherited.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if elsewhere():
        there = [
            item for item in items if isinstance(item, pytest.Function) and not CHOSEN.isdisjoint(item.fixturenames)
        ]
        config.hook.pytest_deselected(items=[item for item in items if item not in there])
        items[:] = there

    def place(item: pytest.Item) -> int:
        return next((at for at, begin in enumerate(LONGEST_FIRST) if item.nodeid.startswith(begin)), len(LONGEST_FIRST))

    items.sort(key=place)
