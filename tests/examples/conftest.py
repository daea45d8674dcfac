"""One broker for all examples, and a driver for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack

import pytest

from examples.event import Event
from streams import App
from streams.testing import TopologyTestDriver
from tests.cluster import empty_cluster

Drive = Callable[[App, Iterable[Event]], TopologyTestDriver]


@pytest.fixture(scope="package")
def bootstrap_servers() -> Iterator[str]:
    """Of a cluster that all examples run on: no two of them have a topic in common."""
    with empty_cluster() as cluster:
        yield cluster.bootstrap_servers


@pytest.fixture
def drive() -> Iterator[Drive]:
    """`drive(app, events)` is a test driver that has processed the events."""
    with ExitStack() as drivers:

        def driven(app: App, events: Iterable[Event]) -> TopologyTestDriver:
            driver = drivers.enter_context(TopologyTestDriver(app))
            topics = {topic: driver.input_topic(topic) for topic in app.plan().source_topics()}
            for event in events:
                topics[event.topic].pipe(event.value, key=event.key, timestamp=event.timestamp)
            return driver

        yield driven
