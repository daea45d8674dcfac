"""Whatever function of the user's raises, the error names it, its line, its operator, and the record: in the test
driver and in a worker alike."""

from __future__ import annotations

import importlib
import pkgutil
import re
from typing import Any

import pytest

import streams.operators
from broker import Broker
from streams import App, Json, ProcessingError
from streams.plan.task_id import TaskId
from streams.runtime.decision import FailedRecord
from streams.testing import TopologyTestDriver
from tests.streams.operators import failing
from tests.streams.operators.failing import FAILING, Failing, Reader, explode, places
from tests.streams.runtime.bench import Bench, until

RECORDS = [
    ("table", "k", b"5", 1),
    ("in", "k", b"1", 2),
    ("in", "k", b"2", 3),
    ("in", "k", b"3", 40),
    ("in", "k", b"4", 4),  # late
]
PROCESSORS = {(failing.Process, "process"), (failing.Process, "tick"), (failing.ProcessValues, "process")}


def topic(case: str, name: str) -> str:
    return re.sub("[^a-z]+", "-", case) + "-" + name


def told(error: ProcessingError, tag: str) -> tuple[Any, ...]:
    """All that an error says, but for the test's part in names."""
    node, at = (name.replace(f"{tag}-", "") for name in (error.node, error.topic or ""))
    return node, error.function, error.file, error.line, error.key, at, error.partition, error.offset


def in_the_driver(case: str) -> ProcessingError:
    app = App("app")
    FAILING[case].build(Reader(app, lambda name: topic(case, name)))
    with TopologyTestDriver(app) as driver:
        for name, key, value, ts in RECORDS:
            if topic(case, name) in app.plan().source_topics():
                try:
                    driver.input_topic(topic(case, name), key=str, value=bytes).pipe(value, key=key, timestamp=ts)
                except ProcessingError as error:
                    return error
    raise AssertionError("no function raised")


def test_every_place_for_a_function_has_a_case() -> None:
    modules = pkgutil.iter_modules(streams.operators.__path__, "streams.operators.")
    there = set[Any]().union(*(places(importlib.import_module(module.name)) for module in modules))
    assert len(there) > 25, "the search itself is broken"
    assert {each.place for each in FAILING.values()} - PROCESSORS == there


@pytest.mark.parametrize("case", FAILING)
def test_exception_in_a_function_is_told_with_its_place_and_its_record(case: str) -> None:
    what: Failing = FAILING[case]
    error = in_the_driver(case)
    declared = [line for *_, line in what.build.__code__.co_lines() if line is not None]
    name, place = (error.function or "").split(" ", 1)
    assert name == what.function
    assert re.fullmatch(rf"\(raised at {re.escape(failing.__file__)}:\d+\)", place)
    assert error.file == failing.__file__
    assert error.line is not None
    assert min(declared) <= error.line <= max(declared)
    assert error.partition == 0
    assert error.key in (("k", "k!", "all") if what.behind else ("k",))
    if what.behind:
        assert re.fullmatch(r"app-.*-(repartition|subscription-response-topic)", error.topic or "")
    else:
        assert error.topic in (topic(case, "in"), topic(case, "table"))
    assert error.offset in range(4)
    for part in (error.node, name, f"{error.file}:{error.line}", repr(error.key), "LookupError: boom"):
        assert part in str(error)
    assert f"{error.topic}[0] at offset {error.offset}" in str(error)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with Broker() as broker, Bench(broker.bootstrap_servers, tmp_path_factory.mktemp("state"), "failing") as ready:
        yield ready


def test_worker_tells_of_exceptions_what_the_driver_tells(bench: Bench) -> None:
    """All cases in one application, whose handler passes over what failed."""
    heard: dict[str, ProcessingError] = {}

    def hear(failed: FailedRecord) -> Any:
        assert isinstance(failed.error, ProcessingError)
        heard.setdefault(f"{failed.error.line}", failed.error)
        return "continue"

    app = App(bench.tag)
    for case, what in FAILING.items():
        what.build(Reader(app, lambda name, case=case: bench.name(topic(case, name))))
    plan = app.plan()
    topics = sorted(plan.source_topics())
    bench.topics(**{name.removeprefix(f"{bench.tag}-"): 1 for name in topics})
    for case in FAILING:
        for name, key, value, ts in RECORDS:
            if bench.name(topic(case, name)) in topics:
                bench.produce(topic(case, name), (key, value, ts))
    tasks = plan.partitions(dict.fromkeys(topics, 1)).tasks
    worker = bench.run(app, *tasks, processing_handler=hear)
    until(lambda: worker.processed() and len(heard) == len(FAILING), f"{len(FAILING)} errors")
    worker.stop()
    assert {told(error, bench.tag) for error in heard.values()} == {
        told(in_the_driver(case), "app") for case in FAILING
    }


def held_until_the_commit(topic: str, out: str, application: str) -> App:
    app = App(application, emit_updates="commit")
    counts = app.stream(topic, key=str, value=Json()).group_by_key().count(store="n")
    counts.to_stream().map_values(explode, name="broken").to(out)
    return app


def test_exception_at_the_commit_is_told_with_the_record_whose_change_was_held_back(bench: Bench) -> None:
    """The last one of the key; in the driver and in a worker."""
    name = bench.name("held")
    app = held_until_the_commit(name, bench.name("out"), bench.name("held-app"))
    with TopologyTestDriver(app, commit="manual") as driver:
        driver.input_topic(name).pipe_values([1, 2], key="k")
        with pytest.raises(ProcessingError) as caught:
            driver.commit()
    error = caught.value
    assert (error.node, error.key, error.topic, error.partition, error.offset) == ("broken", "k", name, 0, 1)
    assert (error.function or "").startswith("explode (raised at ")
    assert error.line == held_until_the_commit.__code__.co_firstlineno + 3
    bench.topics(held=1, out=1)
    bench.produce("held", ("k", b"1", 1), ("k", b"2", 2))
    worker = bench.run(app, TaskId.parse("0_0"), wait=False)
    failure = worker.failure()
    assert isinstance(failure, ProcessingError)
    assert told(failure, bench.tag) == told(error, bench.tag)
