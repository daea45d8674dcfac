"""What holds for all tests: who compiles their files, the order of these, that Ctrl-C reaches the processes they start,
that properties are tried with the same examples each time, however long that takes, and what runs on a cluster from
elsewhere."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.cluster import CHOSEN, VARIABLE, elsewhere
from tests.streams.examples import examples

ROOT = Path(__file__).parent.parent
EXAMPLES = 40
"""How many of them a property is tried with that says nothing else."""

WAITING = (
    *("tests/soak", "tests/integration", "tests/docs/test_tutorial", "tests/demo", "tests/cli", "tests/foreign"),
    *("tests/streams/dashboard", "tests/streams/failures", "tests/streams/query", "tests/streams/runtime"),
    *("tests/broker/test_", "tests/broker/clients", "tests/broker/verification", "tests/examples"),
)
"""Files that begin with these wait most of the time, for processes and clients. Four of them at a time leave cores
idle, and four of the others make each other wait. The longest ones come first: one that comes last leaves a core
idle."""
COMPUTING = ("tests/conformance", "tests/streams/windows", "tests/streams/joins", "tests/streams/tables")
"""The longest files that do not."""


def pytest_configure(config: pytest.Config) -> None:
    if servers := config.getoption("--bootstrap-servers"):
        os.environ[VARIABLE] = servers
    # How fast examples are made and tried is the machine's doing, and that of what runs beside it.
    settings.register_profile("headrace", examples(EXAMPLES), suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("headrace")
    # A shell starts what it puts into the background with SIGINT ignored, and that is inherited.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection(session: pytest.Session) -> None:
    """In a new checkout pytest compiles all files of tests, which takes half a minute. Processes that run side by side
    collect the same files in the same order, and each would compile all of them: each begins with another part."""
    config = session.config
    if (number := os.environ.get("PYTEST_XDIST_WORKER")) is None:
        return
    mine, of = int(number.removeprefix("gw")), int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    chosen = [(config.invocation_params.dir / arg.partition("::")[0]).resolve() for arg in config.args]
    files = sorted(set(chain.from_iterable([each] if each.is_file() else each.rglob("test_*.py") for each in chosen)))
    for file in files[len(files) * mine // of : len(files) * (mine + 1) // of]:
        with suppress(Exception, pytest.skip.Exception):  # the collection comes to it too, and says what is wrong
            import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if elsewhere():
        there = [
            item for item in items if isinstance(item, pytest.Function) and not CHOSEN.isdisjoint(item.fixturenames)
        ]
        config.hook.pytest_deselected(items=[item for item in items if item not in there])
        items[:] = there

    place = places(item.location[0] for item in items)
    items.sort(key=lambda item: place[item.location[0]])


def places(files: Iterable[str]) -> dict[str, float]:
    """File -> when it is begun, 0 to 1. Those that wait and those that compute are mixed evenly, the longest first."""

    def rank(file: str) -> int:
        longest = (*WAITING, *COMPUTING)
        return next((at for at, begin in enumerate(longest) if file.startswith(begin)), len(longest))

    found: dict[str, float] = {}
    ranked = sorted(dict.fromkeys(files), key=rank)
    for waiting in (True, False):
        kind = [file for file in ranked if file.startswith(WAITING) == waiting]
        found |= {file: (at + 0.5) / len(kind) for at, file in enumerate(kind)}
    return found
