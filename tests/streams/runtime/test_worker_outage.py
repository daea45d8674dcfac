"""The broker goes away while a worker runs."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from broker import Broker
from streams.runtime.phase import WorkerState
from tests.streams.runtime.bench import Bench, until
from tests.streams.runtime.test_worker_group import counting


def records(first: int, count: int) -> list[tuple[str, bytes, int]]:
    return [(f"k{i % 5}", b"{}", 1_000 + i) for i in range(first, first + count)]


def counts(bench: Bench) -> list[int]:
    return [int.from_bytes(value or b"", "big") for value in bench.latest("out").values()]


def test_worker_outlives_its_broker_and_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Killed and started again: the worker says once that it is gone, and loses nothing."""
    with Broker(tmp_path / "log") as broker, Bench(broker.bootstrap_servers, tmp_path, "outage") as bench:
        bench.topics(**{"in": 2, "out": 2})
        worker = bench.run_in_group(counting(bench), client_config={"reconnect.backoff.max.ms": 200})
        until(lambda: len(worker.running()) == 2, "the tasks")
        bench.produce("in", *records(0, 50))
        until(lambda: worker.processed() == 50, "50 records")
        with caplog.at_level(logging.WARNING, "streams"):
            broker.kill()
            until(lambda: "broker_unreachable" in caplog.text, "the worker to notice")
            assert worker.error is None
            broker.start()
            bench.produce("in", *records(50, 50))
            until(lambda: [value >= 20 for value in counts(bench)] == [True] * 5, "the other 50")  # some come twice
        until(lambda: worker.worker.state is WorkerState.RUNNING, "RUNNING")
        worker.stop()
        assert caplog.text.count("the consumer has lost") == 1
        assert [value >= 20 for value in counts(bench)] == [True] * 5
