"""What a worker needs is taken away under it: partitions, topics, its state directory, room on its disk, the broker."""

from __future__ import annotations

import logging
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import NewPartitions

from broker import Broker
from stores import StateFullError
from streams import App, Context, StateError
from streams.errors import StreamsError
from streams.plan.task_id import TaskId
from streams.runtime.partition_watch import PartitionWatch
from streams.runtime.phase import WorkerState
from tests.streams.runtime.bench import Bench, until


def counting(bench: Bench, **settings: Any) -> App:
    app = App(bench.tag, **settings)
    counted = app.stream(bench.name("in"), key=str, value=dict).group_by_key().count(store="counts")
    counted.to_stream().to(bench.name("out"), value=int)
    return app


def copying(bench: Bench) -> App:
    app = App(bench.tag)
    app.stream(bench.name("in"), key=str, value=dict).to(bench.name("out"))
    return app


def records(first: int, count: int) -> list[tuple[str, bytes, int]]:
    return [(f"k{i % 5}", b"{}", 1_000 + i) for i in range(first, first + count)]


def counts(bench: Bench) -> dict[str, int]:
    return {key: int.from_bytes(value or b"", "big") for key, value in bench.latest("out").items()}


# -- partitions -------------------------------------------------------------------------------------------------------
class Admin:
    """Answers with these counts, or errors."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked = 0

    def describe_topics(self, topics: Any) -> dict[str, Future[Any]]:
        self.asked += 1
        found: dict[str, Future[Any]] = {}
        for topic, answer in self.answers.items():
            found[topic] = future = Future()
            if isinstance(answer, int):
                future.set_result(SimpleNamespace(partitions=[None] * answer))
            else:
                future.set_exception(KafkaException(answer))
        return found


def watch(admin: Any, clock: Any = lambda: 100.0, **counts: int) -> PartitionWatch:
    app = App("app")
    for topic in counts:
        app.stream(topic).to("out")
    plan = app.plan().partitions(counts)
    made = PartitionWatch(admin, plan, interval_s=60.0, clock=lambda: 0.0)
    made._clock = clock
    return made


def test_partitions_are_asked_for_once_in_an_interval() -> None:
    now = [59.9]
    admin = Admin(orders=3)
    partitions = watch(admin, lambda: now[0], orders=3)
    partitions.check(())
    assert admin.asked == 0
    now[0] = 60.0
    for _ in range(3):
        partitions.check(())
    assert admin.asked == 1
    now[0] = 120.0
    partitions.check(())
    assert admin.asked == 2


@pytest.mark.parametrize("code", [KafkaError._TRANSPORT, KafkaError.TOPIC_AUTHORIZATION_FAILED])
def test_partitions_that_nobody_tells_are_no_reason_to_stop(code: int) -> None:
    partitions = watch(Admin(orders=KafkaError(code)), orders=3)
    partitions.check(())
    partitions.check(())


def test_more_partitions_without_internal_topics_ask_for_a_restart() -> None:
    partitions = watch(Admin(orders=4), orders=3)
    partitions.check(())
    with pytest.raises(StreamsError, match=r"'orders' has 4 partitions, and had 3.*start all workers again"):
        partitions.check(())


def test_topic_that_is_gone_is_named_with_its_partitions() -> None:
    partitions = watch(Admin(orders=KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)), orders=3)
    partitions.check(())
    with pytest.raises(StreamsError, match=r"'orders' is gone: create it again with 3 partitions"):
        partitions.check(())


@pytest.mark.parametrize("topic", ["in", "repartition"])
def test_changed_partition_count_stops_a_running_worker(bench: Bench, topic: str) -> None:
    """Of a source topic, and of a topic of its own; the message says how to begin anew."""
    bench.topics(**{"in": 1, "out": 1})
    app = App(bench.tag)
    rekeyed = app.stream(bench.name("in"), key=str, value=dict).select_key(lambda key, value: key)
    rekeyed.group_by_key().count(store="counts").to_stream().to(bench.name("out"), value=int)
    worker = bench.run_in_group(app, partition_check_interval_s=0.1)
    until(lambda: worker.worker.state is WorkerState.RUNNING, "RUNNING")
    name = bench.name("in")
    if topic == "repartition":
        [name] = [t.name for t in bench.partition_plan(app, **{"in": 1}).internal_topics if t.name.endswith(topic)]
    [changed] = bench.admin.create_partitions([NewPartitions(name, 3)]).values()
    changed.result(10)
    error = worker.failure()
    assert isinstance(error, StreamsError)
    assert f"topic {name!r} has 3 partitions, and had 1" in str(error)
    assert "headrace reset" in str(error)


def test_source_topic_that_is_deleted_stops_a_running_worker(bench: Bench) -> None:
    bench.topics(**{"in": 1, "out": 1})
    worker = bench.run_in_group(copying(bench), partition_check_interval_s=0.1)
    until(lambda: worker.worker.state is WorkerState.RUNNING, "RUNNING")
    [deleted] = bench.admin.delete_topics([bench.name("in")]).values()
    deleted.result(10)
    with pytest.raises(StreamsError, match=f"{bench.name('in')}' (is gone|has disappeared).*restart"):
        raise worker.failure()


# -- the state directory ----------------------------------------------------------------------------------------------
def test_state_directory_that_is_taken_away_stops_the_worker_and_the_next_restores(bench: Bench) -> None:
    bench.topics(**{"in": 1, "out": 1})
    bench.produce("in", *records(0, 50))
    worker = bench.run_in_group(counting(bench))
    until(lambda: worker.processed() == 50, "50 records")
    shutil.rmtree(worker.worker.options.application_dir)
    error = worker.failure()
    assert isinstance(error, StateError)
    assert "is gone; start the worker again, which restores the state from its changelogs" in str(error)
    again = bench.run_in_group(counting(bench))
    bench.produce("in", *records(50, 50))
    until(lambda: again.processed() >= 50, "the other 50")
    again.stop()
    assert counts(bench) == {f"k{i}": 20 for i in range(5)}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 6 MiB."""
    path = tmp_path / "small"
    path.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(path)], capture_output=True).returncode:
        pytest.skip("only root may mount a tmpfs")
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


def test_full_disk_ends_the_worker_and_loses_nothing(bench: Bench, small_disk: Path) -> None:
    """What was committed to the log and not to the disk is read back where there is room."""
    bench.topics(**{"in": 1, "out": 1})
    bench.produce("in", *records(0, 50))
    app = App(bench.tag)
    grouped = app.stream(bench.name("in"), key=str, value=dict).group_by_key()
    rows = grouped.aggregate(lambda: "", lambda key, value, row: row + "x" * 200, value=str, store="rows")
    rows.to_stream().map_values(len).to(bench.name("out"), value=int)
    bench.directory = small_disk
    worker = bench.run_in_group(app, session_timeout_ms=1_000)
    until(lambda: worker.processed() == 50, "50 records")
    with open(small_disk / "ballast", "ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4_096))
    bench.produce("in", *records(50, 50))
    error = worker.failure()
    assert isinstance(error, StateFullError), error
    assert "make room on its disk" in str(error)
    roomy = small_disk.with_name("roomy")
    shutil.copytree(small_disk / "state", roomy / "state")
    bench.directory = roomy
    again = bench.run_in_group(app)
    bench.produce("in", *records(100, 5))
    until(lambda: again.processed() and counts(bench) == {f"k{i}": 4_200 for i in range(5)}, "all of them, each once")
    again.stop()


def test_disk_that_fails_while_a_record_is_processed_is_not_the_records_fault(bench: Bench) -> None:
    """A handler that passes over records must not pass over all that come while a disk is full."""

    def read(value: dict[str, Any], context: Context) -> dict[str, Any]:
        raise StateFullError("/state", "No space left on device")

    app = App(bench.tag)
    app.stream(bench.name("in"), key=str, value=dict).map_values(read).to(bench.name("out"))
    bench.topics(**{"in": 1, "out": 1})
    bench.produce("in", *records(0, 1))
    worker = bench.run(app, TaskId.parse("0_0"), wait=False, processing_handler="continue")
    error = worker.failure()
    assert isinstance(error, StateError)
    assert "no space left" in str(error)


# -- the broker -------------------------------------------------------------------------------------------------------
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def test_broker_that_comes_late_is_waited_for(tmp_path: Path) -> None:
    """For `connect_timeout` at most; then `test_worker_unreachable_broker_fails_in_bounded_time`."""
    with Broker(tmp_path / "log") as broker, Bench(broker.bootstrap_servers, tmp_path, "late") as bench:
        bench.topics(**{"in": 1, "out": 1})
        bench.produce("in", *records(0, 5))
        broker.kill()
        worker = bench.run_in_group(copying(bench), connect_timeout_s=15.0)
        waiting = threading.Event()
        waiting.wait(0.5)  # it is the outage's length; the worker tries in vain meanwhile
        assert worker.worker.state is WorkerState.REBALANCING
        assert worker.error is None
        broker.start()
        until(lambda: worker.processed() == 5, "5 records")
        worker.stop()


GUARANTEES = pytest.mark.parametrize("guarantee", ["exactly_once", "at_least_once"])


def unsent(guarantee: str) -> dict[str, Any]:
    """Options with which results of the last second are not sent yet, and given up after another one."""
    if guarantee == "exactly_once":
        return {"producer_config": {"linger.ms": 900}, "commit_interval_ms": 1_000}
    return {"producer_config": {"linger.ms": 900, "message.timeout.ms": 1_000}, "commit_interval_ms": 5_000}


@GUARANTEES
def test_broker_away_for_longer_than_transactions_and_sessions_last_costs_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, guarantee: str
) -> None:
    """A minute of the defaults, shortened: the transaction under way has timed out, or the records that wait to be
    sent have; the member is forgotten."""
    with Broker(tmp_path / "log") as broker, Bench(broker.bootstrap_servers, tmp_path, "away") as bench:
        bench.topics(**{"in": 2, "out": 2})
        worker = bench.run_in_group(
            counting(bench),
            processing_guarantee=guarantee,
            transaction_timeout_ms=1_000,
            session_timeout_ms=1_500,
            client_config={"reconnect.backoff.max.ms": 200, "log_level": 0},
            **unsent(guarantee),
        )
        bench.produce("in", *records(0, 50))
        until(lambda: worker.processed() == 50, "50 records")
        with caplog.at_level(logging.WARNING, "streams"):
            broker.kill()
            threading.Event().wait(3.0)
            assert worker.error is None
            broker.start()
        bench.produce("in", *records(50, 50))
        # Those of the aborted transaction are processed twice: how many were processed says nothing.
        until(lambda: [value >= 20 for value in counts(bench).values()] == [True] * 5, "the other 50", deadline_s=40)
        worker.stop()
        if guarantee == "exactly_once":
            assert counts(bench) == {f"k{i}": 20 for i in range(5)}
        else:
            assert "did not arrive in time" in caplog.text
        assert caplog.text.count("broker_unreachable: the consumer has lost") == 1


@GUARANTEES
def test_broker_away_for_longer_than_the_task_timeout_ends_the_worker(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, guarantee: str
) -> None:
    with Broker(tmp_path / "log") as broker, Bench(broker.bootstrap_servers, tmp_path, "limit") as bench:
        bench.topics(**{"in": 2, "out": 2})
        worker = bench.run_in_group(
            counting(bench), processing_guarantee=guarantee, task_timeout_s=0.5, **unsent(guarantee)
        )
        bench.produce("in", *records(0, 50))
        until(lambda: worker.processed() == 50, "50 records")
        broker.kill()
        error = worker.failure()
        assert isinstance(error, StreamsError)
        assert "check that the broker is reachable" in str(error)
        assert "task_timeout: the broker has not answered" in caplog.text
