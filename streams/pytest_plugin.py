"""The pytest plugin: fixtures for tests of applications. It comes with the package; nothing needs to be configured.

    topology_driver   makes a `TopologyTestDriver` for an app; closed at the end of the test
    kafka_broker      a log: the bundled broker, or with `--bootstrap-servers` a Kafka cluster
    worker            runs an app on `kafka_broker` until the test ends

Imports stand inside: pytest loads this file in every project that has headrace installed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from streams.app import App
    from streams.testing.driver import TopologyTestDriver
    from streams.testing.kafka_broker import KafkaBroker
    from streams.testing.worker_run import WorkerRun

pytest.register_assert_rewrite("streams.testing.store_contract")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("headrace").addoption(
        "--bootstrap-servers",
        metavar="HOST:PORT",
        help="the Kafka cluster of the kafka_broker fixture; default: the bundled broker, a new one for each test",
    )


@pytest.fixture
def topology_driver() -> Iterator[Callable[..., TopologyTestDriver]]:
    """`topology_driver(app, …)` is `TopologyTestDriver(app, …)`, closed when the test ends."""
    from streams.testing.driver import TopologyTestDriver

    with ExitStack() as drivers:

        def make(app: App, **options: Any) -> TopologyTestDriver:
            return drivers.enter_context(TopologyTestDriver(app, **options))

        yield make


@pytest.fixture
def kafka_broker(request: pytest.FixtureRequest) -> Iterator[KafkaBroker]:
    """A log with nothing of other tests on it. Its topics are made with `create_topics`, or by `worker`."""
    from streams.testing.kafka_broker import KafkaBroker

    with KafkaBroker(request.config.getoption("--bootstrap-servers")) as broker:
        yield broker


@pytest.fixture
def worker(kafka_broker: KafkaBroker, tmp_path: Path) -> Iterator[Callable[..., WorkerRun]]:
    """`worker(app, partitions=1, …)` runs an application on `kafka_broker` and returns when its tasks run.

    Source and output topics that are missing are made, with so many partitions. `app` is an `App`, which runs on a
    thread, or `"module:app"`, which runs in a process of its own. Other options are those of `App.worker`. A worker
    that failed fails the test at its end, unless the test stopped it.
    """
    from streams.testing.starting import start_worker

    with ExitStack() as runs:

        def run(app: App | str, *, partitions: int = 1, **options: Any) -> WorkerRun:
            started = start_worker(app, kafka_broker, tmp_path / "state", partitions, options)
            runs.callback(started.stop)
            return started

        yield run
