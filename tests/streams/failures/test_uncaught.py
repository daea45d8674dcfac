"""What becomes of a worker that cannot go on. Source: KIP-671."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from streams import App, ApplicationShutdownError, ConfigError, ProcessingError
from streams.runtime.membership import InstanceFencedError
from streams.runtime.phase import WorkerState
from streams.runtime.uncaught import FIRST_PAUSE_S, LONGEST_PAUSE_S, UncaughtPolicy
from tests.streams.runtime.bench import Bench, until

POISON = ("k", b'"poison"', 9)


class Fuse:
    """Raises for one value until it is taken out."""

    def __init__(self) -> None:
        self.armed = True

    def __call__(self, value: Any) -> Any:
        if self.armed and value == "poison":
            raise LookupError("boom")
        return value


def checking(bench: Bench, fuse: Fuse) -> App:
    app = App(bench.tag)
    app.stream(bench.name("in"), key=str, value=Any).map_values(fuse).to(bench.name("out"))
    return app


def numbers(first: int, count: int) -> list[tuple[str, bytes, int]]:
    return [(f"k{i % 5}", b"%d" % i, 1_000 + i) for i in range(first, first + count)]


def test_replaced_worker_goes_on_in_its_place_with_every_record_once(bench: Bench) -> None:
    """It begins anew from what was committed, as often as it takes."""
    fuse, asked = Fuse(), list[Exception]()

    def handler(error: Exception) -> str:
        asked.append(error)
        fuse.armed = len(asked) < 2
        return "replace_worker"

    bench.topics(**{"in": 2, "out": 2})
    bench.produce("in", *numbers(0, 20), POISON, *numbers(20, 20))
    worker = bench.run_in_group(checking(bench, fuse), uncaught_exception_handler=handler)
    until(lambda: len(bench.read("out")) == 41, "all records")
    assert worker.worker.state is WorkerState.RUNNING
    worker.stop()
    assert [type(error) for error in asked] == [ProcessingError, ProcessingError]
    assert worker.heard.states[-2:] == [WorkerState.PENDING_SHUTDOWN, WorkerState.NOT_RUNNING]
    assert WorkerState.ERROR not in worker.heard.states


def test_worker_told_to_stop_while_it_waits_to_be_replaced_ends(bench: Bench) -> None:
    bench.topics(**{"in": 1, "out": 1})
    bench.produce("in", POISON)
    failed: list[Exception] = []

    def handler(error: Exception) -> str:
        failed.append(error)
        return "replace_worker"

    worker = bench.run_in_group(checking(bench, Fuse()), uncaught_exception_handler=handler)
    until(lambda: failed, "the worker to fail")
    worker.stop()
    assert worker.heard.states[-1] is WorkerState.NOT_RUNNING


def test_worker_that_ends_the_application_takes_all_others_with_it(bench: Bench) -> None:
    """Also those on other hosts: the group is told."""
    bench.topics(**{"in": 2, "out": 2})
    app = checking(bench, Fuse())
    ending = {"uncaught_exception_handler": "shutdown_application"}
    workers = [bench.run_in_group(app, directory=name, **ending) for name in ("one", "two", "three")]
    until(lambda: sum(len(worker.running()) for worker in workers) == 2, "the tasks to be shared")
    bench.produce("in", POISON)
    errors = [worker.failure() for worker in workers]
    assert all(isinstance(error, ApplicationShutdownError) for error in errors)
    assert all("boom" in str(error) for error in errors)
    assert [worker.worker.state for worker in workers] == [WorkerState.ERROR] * 3
    causes = [error.__cause__ for error in errors]
    assert any(isinstance(cause, ProcessingError) for cause in causes), "the one that it happened to"


def test_application_that_was_ended_can_be_started_again(bench: Bench) -> None:
    fuse = Fuse()
    bench.topics(**{"in": 1, "out": 1})
    bench.produce("in", POISON)
    app = checking(bench, fuse)
    ended = bench.run_in_group(app, uncaught_exception_handler="shutdown_application")
    assert isinstance(ended.failure(), ApplicationShutdownError)
    fuse.armed = False
    again = bench.run_in_group(app)
    until(lambda: again.processed() == 1, "the record")
    again.stop()


# -- the policy alone -------------------------------------------------------------------------------------------------
def test_handler_is_not_asked_about_what_would_be_the_same_again() -> None:
    policy = UncaughtPolicy("replace_worker")
    for error in (ConfigError("no"), InstanceFencedError("i"), ApplicationShutdownError("all")):
        assert policy.respond(error) == "shutdown_worker"
    assert policy.respond(RuntimeError("boom")) == "replace_worker"


def explode(error: Exception) -> Any:
    raise KeyError("no such rule")


@pytest.mark.parametrize("handler", [explode, lambda error: "restart", lambda error: None])
def test_handler_that_fails_or_says_something_else_ends_the_worker(
    handler: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        assert UncaughtPolicy(handler).respond(RuntimeError("boom")) == "shutdown_worker"
    assert "uncaught_exception_handler_failed" in caplog.text


def test_pause_before_a_worker_is_replaced_grows_until_it_was_healthy() -> None:
    now = [0.0]
    policy = UncaughtPolicy("replace_worker", clock=lambda: now[0])
    pauses = [policy.pause_s() for _ in range(8)]
    assert pauses[:3] == [FIRST_PAUSE_S, 2 * FIRST_PAUSE_S, 4 * FIRST_PAUSE_S]
    assert pauses[-1] == LONGEST_PAUSE_S
    now[0] += LONGEST_PAUSE_S + 60.0
    assert policy.pause_s() == FIRST_PAUSE_S


def test_setting_with_a_wrong_name_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_UNCAUGHT_EXCEPTION_HANDLER", "replace_thread")
    with pytest.raises(ConfigError, match=r"'replace_worker', 'shutdown_worker' or 'shutdown_application'"):
        App("a")
