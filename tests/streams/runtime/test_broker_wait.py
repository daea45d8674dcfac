"""What the stream thread does while a commit waits for the broker."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from streams.observe import ThreadMeters
from streams.runtime.broker_wait import BrokerWait
from streams.runtime.consumer import RecordConsumer
from streams.runtime.intake import Intake
from streams.runtime.options import WorkerOptions
from streams.runtime.router import Router

PATIENCE_S = 60


@pytest.fixture
def waiting() -> Iterator[BrokerWait]:
    waiting = BrokerWait()
    yield waiting
    waiting.close()


def test_wait_calls_the_other_until_there_is_an_answer(waiting: BrokerWait) -> None:
    enough, calls = threading.Event(), 0

    def meanwhile() -> bool:
        nonlocal calls
        calls += 1
        if calls == 3:
            enough.set()
        return True

    assert waiting.during(lambda: enough.wait(PATIENCE_S), meanwhile)
    assert calls >= 3


def test_wait_leaves_the_other_alone_when_it_has_no_more_to_do(waiting: BrokerWait) -> None:
    asked, calls = threading.Event(), 0

    def meanwhile() -> bool:
        nonlocal calls
        calls += 1
        asked.set()
        return False

    assert waiting.during(lambda: asked.wait(PATIENCE_S), meanwhile)
    assert calls == 1


def test_wait_raises_what_the_call_raises(waiting: BrokerWait) -> None:
    def refused() -> None:
        raise ConnectionError("refused")

    with pytest.raises(ConnectionError, match="refused"):
        waiting.during(refused, lambda: False)


def test_wait_that_is_interrupted_ends_with_the_call(waiting: BrokerWait) -> None:
    """Nobody may use the producer while somebody else commits with it."""
    interrupted, ended = threading.Event(), threading.Event()

    def call() -> None:
        assert interrupted.wait(PATIENCE_S)
        ended.set()

    def interrupt() -> bool:
        interrupted.set()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        waiting.during(call, interrupt)
    assert ended.is_set()


class Consumer:
    """Has no records."""

    def __init__(self) -> None:
        self.fetched = 0

    def fetch(self, count: int, timeout_s: float) -> list[Any]:
        self.fetched += 1
        return []


class Buffer:
    def __init__(self, count: int) -> None:
        self.count = count


@pytest.mark.parametrize(("buffered", "more"), [((0, 9), True), ((5, 5), False), ((10, 0), False)])
def test_reading_ahead_stops_long_before_a_partition_is_paused(buffered: tuple[int, int], more: bool) -> None:
    options = WorkerOptions(application_id="a", bootstrap_servers="b:1", state_dir=Path(), buffered_records=20)
    router = Router(cap_records=20, cap_bytes=1_000)
    cast(Any, router)._buffers = {("t", number): Buffer(count) for number, count in enumerate(buffered)}
    consumer = Consumer()
    intake = Intake(
        options, consumer=cast(RecordConsumer, consumer), router=router, meters=ThreadMeters(0.0), calls=None
    )
    assert intake.read_ahead() == more
    assert consumer.fetched == more
