"""The pytest plugin's fixtures, used as users use them."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from streams import App, F, ProcessingError, TopologyError, count
from streams.testing import TopologyTestDriver
from streams.testing.kafka_broker import KafkaBroker
from streams.testing.worker_run import WorkerRun

ROOT = Path(__file__).parents[3]
StartWorker = Callable[..., WorkerRun]


def counting() -> App:
    app = App("counting")
    app.stream("events", key=str, value=dict).group_by(F.user, key=str).count(store="counts").to_stream().to("counts")
    return app


def test_topology_driver_runs_an_app(topology_driver: Callable[..., TopologyTestDriver]) -> None:
    driver = topology_driver(counting(), start=5)
    driver.input_topic("events").pipe_values([{"user": "ann"}, {"user": "ann"}])
    driver.assert_records("counts", [("ann", 1, 5), ("ann", 2, 5)])


def test_kafka_broker_takes_and_gives_records(kafka_broker: KafkaBroker) -> None:
    kafka_broker.create_topics("numbers", partitions=2, retention_ms="-1")
    kafka_broker.create_topics("numbers", partitions=3)
    assert kafka_broker.topics()["numbers"] == 2
    topic = kafka_broker.input_topic("numbers", key=str, value=int)
    topic.pipe_all([("a", 1, 0), ("a", None, 11)])
    numbers = kafka_broker.output_topic("numbers", key=str, value=int)
    numbers.assert_records("| key | timestamp | value |\n| a | 1 | 1 |\n| a | 11 | |")
    with pytest.raises(LookupError, match="nothing more came to topic 'numbers' in 0 s"):
        numbers.read(timeout_s=0)
    topic.pipe(3, key="b")
    with pytest.raises(AssertionError, match=r"- +b +\| 4  <- value"):
        numbers.assert_records([("b", 4)])


def test_worker_runs_an_app_and_comes_back_to_its_state(worker: StartWorker) -> None:
    run = worker(counting(), partitions=2)
    run.input_topic("events").pipe_values([{"user": "ann"}, {"user": "ann"}])
    run.assert_records("counts", [("ann", 1), ("ann", 2)])
    run.stop()
    run.restart()
    run.input_topic("events").pipe({"user": "ann"})
    run.assert_records("counts", [("ann", 3)])
    run.input_topic("events").pipe({"user": "bob"})
    run.output_topic("counts").assert_table({"bob": 1})
    assert run.broker.topics()["counting-counts-changelog"] == 2


def test_worker_that_fails_tells_whoever_waits_for_it(worker: StartWorker) -> None:
    app = App("failing")
    app.stream("events", key=str, value=int).map_values(lambda value: 1 // value, value=int).to("out")
    run = worker(app)
    run.input_topic("events").pipe(0, key="k")
    with pytest.raises(ProcessingError, match=r"key 'k' of events\[0\] at offset 0"):
        run.output_topic("out").read()


def test_worker_process_is_killed_and_restarted(worker: StartWorker) -> None:
    run = worker("tests.streams.testing.example_app:app")
    run.input_topic("events").pipe("x", key="a")
    run.assert_records("counts", [("a", 1)])
    run.kill()
    run.restart()
    run.input_topic("events").pipe("x", key="b")
    run.input_topic("events").pipe("x", key="a")
    run.output_topic("counts").assert_table({"a": 2, "b": 1}, timeout_s=60)
    run.stop()


def test_worker_refuses_what_is_no_app(worker: StartWorker) -> None:
    with pytest.raises(TypeError, match="worker takes an App or the name of one"):
        worker("tests.streams.testing.example_app:nothing")
    with pytest.raises(TypeError, match="takes no options, got slot"):
        worker("tests.streams.testing.example_app:app", slot=1)


def run_pytest(directory: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """pytest in a project of its own."""
    plugin = ("-p", "no:headrace", "-p", "streams.pytest_plugin", "-p", "no:cacheprovider")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugin, *options],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(directory)]), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_failure_shows_the_difference_and_none_of_our_frames(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        textwrap.dedent(
            """
            from tests.streams.testing.test_fixtures import counting

            def test_it(topology_driver):
                driver = topology_driver(counting())
                driver.input_topic("events").pipe({"user": "ann"})
                driver.assert_records("counts", [("ann", 2)])
            """
        )
    )
    done = run_pytest(tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "- ann | 2  <- value" in done.stdout
    assert "+ ann | 1" in done.stdout
    assert "streams/testing" not in done.stdout


def test_bootstrap_servers_names_the_log_and_leaves_nothing_on_it(tmp_path: Path, kafka_broker: KafkaBroker) -> None:
    (tmp_path / "test_it.py").write_text(
        textwrap.dedent(
            f"""
            from tests.streams.testing.test_fixtures import counting

            def test_it(worker, kafka_broker):
                assert kafka_broker.bootstrap_servers == {kafka_broker.bootstrap_servers!r}
                run = worker(counting())
                run.input_topic("events").pipe({{"user": "ann"}})
                run.assert_records("counts", [("ann", 1)])
            """
        )
    )
    kafka_broker.create_topics("mine")
    before = set(kafka_broker.topics())
    done = run_pytest(tmp_path, "--bootstrap-servers", kafka_broker.bootstrap_servers)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {name for name in set(kafka_broker.topics()) ^ before if not name.startswith("_")} == set()


def test_plugin_loads_nothing_heavy() -> None:
    """It is loaded in every project that has headrace installed."""
    heavy = ("confluent_kafka", "rocksdict", "pydantic", "msgspec", "asyncio", "streams.testing", "broker")
    code = (
        "import sys, pytest; before = set(sys.modules); import streams.pytest_plugin; "
        f"print([name for name in {heavy!r} if name in set(sys.modules) - before])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_worker_with_a_topology_that_misreads_its_state_does_not_start(worker: StartWorker) -> None:
    run = worker(counting())
    run.input_topic("events").pipe({"user": "ann"})
    run.assert_records("counts", [("ann", 1)])
    run.stop()
    changed = App("counting")
    stream = changed.stream("events", key=str, value=dict).group_by(F.user, key=str)
    stream.aggregate(n=count(), store="counts").to_stream().to("counts")
    with pytest.raises(TopologyError, match="store 'counts' has rows of an earlier version"):
        worker(changed)
    run.restart()
    run.input_topic("events").pipe({"user": "ann"})
    run.assert_records("counts", [("ann", 2)])
