"""The flights job equals a batch computation over the same file, whatever happens to its workers on the way.

Four partitions, one hour of grace, a re-key in the middle: nothing may be dropped as late.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from broker import Broker
from streams.demo.batch_answer import batch_answer
from streams.demo.dataset import read_flights
from tests.cluster import Cluster
from tests.integration.flights_job import FlightsJob

ROWS = 60_000
HALF = ROWS // 2


@pytest.fixture
def job(cluster: Cluster, tmp_path: Path) -> Iterator[FlightsJob]:
    with closing(FlightsJob(cluster, read_flights(rows=ROWS), tmp_path / "job")) as made:
        yield made


def test_flights_one_worker_equals_batch(job: FlightsJob) -> None:
    """Every window and key, exact counts, means to 1e-9."""
    job.load(0, ROWS)
    worker = job.workers.start()
    comparison = job.settle()
    assert comparison.equal, comparison
    job.workers.stop(worker)


def test_flights_workers_that_join_and_leave_equal_batch(job: FlightsJob) -> None:
    """A second worker takes tasks over while flights are processed, a third replaces the first."""
    first = job.workers.start()
    job.load(0, ROWS // 4)
    job.wait_for_flights(ROWS // 5)
    second = job.workers.start()
    job.load(ROWS // 4, HALF)
    job.wait_for_flights(HALF * 9 // 10)
    job.load(HALF, ROWS * 3 // 4)
    job.workers.stop(first)
    third = job.workers.start()
    job.load(ROWS * 3 // 4, ROWS)
    comparison = job.settle()
    assert comparison.equal, comparison
    job.workers.stop(second)
    job.workers.stop(third)


def test_flights_clean_restart_in_the_middle_equals_batch(job: FlightsJob) -> None:
    """What a stopped worker committed is where the next one goes on."""
    worker = job.workers.start()
    job.load(0, HALF)
    job.wait_for_flights(HALF // 2)
    job.workers.stop(worker)
    job.load(HALF, ROWS)
    worker = job.workers.start()
    comparison = job.settle()
    assert comparison.equal, comparison
    job.workers.stop(worker)


def test_flights_state_directory_deleted_in_the_middle_equals_batch(job: FlightsJob) -> None:
    """The changelog holds all there was: an empty directory restores to the same result."""
    worker = job.workers.start()
    job.load(0, HALF)
    job.wait_for_flights(HALF // 2)
    job.workers.stop(worker)
    shutil.rmtree(job.workers.state_dir)
    job.load(HALF, ROWS)
    worker = job.workers.start()
    comparison = job.settle()
    assert comparison.equal, comparison
    job.workers.stop(worker)


def test_flights_worker_killed_in_the_middle_misses_nothing(job: FlightsJob) -> None:
    """After kill -9 no flight is missing from any window (at least once: some may count twice)."""
    worker = job.workers.start()
    job.load(0, HALF)
    job.wait_for_flights(HALF // 4)
    job.workers.kill(worker)
    job.load(HALF, ROWS)
    worker = job.workers.start()
    job.wait_until_processed()
    job.workers.stop(worker)
    rows = job.tally.rows()
    for key, expected in batch_answer(job.flights).items():
        assert key in rows, key
        assert rows[key].flights >= expected.flights
        assert rows[key].worst == expected.worst


def test_flights_broker_killed_under_a_running_worker_equals_batch(tmp_path: Path) -> None:
    """The broker comes back with everything it acknowledged; loader and worker go on by themselves, exactly."""
    with (
        Broker(data=tmp_path / "broker") as broker,
        closing(FlightsJob(broker, read_flights(rows=ROWS), tmp_path / "job")) as job,
    ):
        worker = job.workers.start()
        job.load(0, HALF)
        job.wait_for_flights(HALF // 4)
        job.send(HALF, ROWS)
        broker.kill()
        broker.restart()
        job.load(ROWS, ROWS)
        comparison = job.settle()
        assert comparison.equal, comparison
        job.workers.stop(worker)
