"""Pausing a worker, and deleting what it left on the disk."""

from __future__ import annotations

import threading

import pytest

from streams import App
from streams.errors import StateError
from streams.runtime.phase import WorkerState
from tests.streams.runtime.bench import Bench, until


def copying(bench: Bench) -> App:
    app = App(bench.tag)
    app.stream(bench.name("in"), key=str, value=dict).group_by_key().count(store="n").to_stream().to(bench.name("out"))
    return app


def test_paused_worker_keeps_its_tasks_and_processes_nothing(bench: Bench) -> None:
    bench.topics(**{"in": 1, "out": 1})
    worker = bench.run_in_group(copying(bench), poll_ms=10)
    bench.produce("in", ("k", b"{}", 1))
    until(lambda: worker.processed() == 1, "the first record")
    worker.worker.pause()
    assert worker.worker.is_paused
    commits = worker.heard.commits
    until(lambda: worker.heard.commits > commits or bench.read("out"), "what was done to be committed")
    bench.produce("in", ("k", b"{}", 2))
    threading.Event().wait(0.3)  # as long as some turns of the loop; there is nothing to wait for
    assert worker.processed() == 1
    assert (worker.worker.state, len(worker.running())) == (WorkerState.RUNNING, 1)
    worker.worker.resume()
    until(lambda: worker.processed() == 2, "the second record")
    worker.stop()


def test_paused_worker_can_be_stopped(bench: Bench) -> None:
    bench.topics(**{"in": 1, "out": 1})
    worker = bench.run_in_group(copying(bench), poll_ms=10)
    worker.worker.pause()
    until(lambda: worker.running(), "the task")
    worker.stop()
    assert worker.worker.state is WorkerState.NOT_RUNNING


def test_cleanup_deletes_the_state_that_is_restored_then(bench: Bench) -> None:
    bench.topics(**{"in": 1, "out": 1})
    app = copying(bench)
    bench.produce("in", ("k", b"{}", 1))
    worker = bench.run_in_group(app)
    until(lambda: worker.processed() == 1, "a record")
    worker.stop()
    state_dir = worker.worker.options.state_dir
    assert app.cleanup(state_dir=state_dir) == ["0_0"]
    assert not (state_dir / bench.tag / "0_0").exists()
    assert app.cleanup(state_dir=state_dir) == []
    again = bench.run_in_group(app)
    bench.produce("in", ("k", b"{}", 2))
    until(lambda: again.processed() == 1, "another record")
    again.stop()
    assert [int.from_bytes(message.value(), "big") for message in bench.read("out")] == [1, 2]


def test_cleanup_while_a_worker_runs_is_refused(bench: Bench) -> None:
    bench.topics(**{"in": 1, "out": 1})
    app = copying(bench)
    worker = app.worker(bootstrap_servers=bench.bootstrap_servers, state_dir=bench.directory, query_port=None)
    thread = threading.Thread(target=worker.run, daemon=True)
    thread.start()
    try:
        assert worker.wait_for({WorkerState.RUNNING}, 20) is WorkerState.RUNNING
        with pytest.raises(StateError, match="stop its workers"):
            app.cleanup(state_dir=bench.directory)
    finally:
        worker.stop()
        thread.join(20)
    assert app.cleanup(state_dir=bench.directory) == ["0_0"]
