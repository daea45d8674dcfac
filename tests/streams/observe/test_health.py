"""What a worker says of its health: at its start, while it restores, while it runs, and when it stops."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from streams import App
from streams.observe.health import live, ready
from streams.observe.reading import WorkerReading
from streams.plan.task_id import TaskId
from streams.runtime.listener import RestoreProgress
from streams.runtime.membership import Revoked
from streams.runtime.phase import WorkerState
from tests.streams.runtime.bench import Bench, RunningWorker, until

ONLY = TaskId(0, 0)


def ask(endpoint: str | None, path: str) -> tuple[int, dict[str, Any]]:
    """Status and body."""
    try:
        with urllib.request.urlopen(f"http://{endpoint}/health/{path}", timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def counting(bench: Bench) -> App:
    app = App(bench.tag)
    app.stream(bench.name("in"), key=str, value=dict).group_by_key().count(store="counts").to_stream().to(
        bench.name("out")
    )
    return app


def test_worker_that_runs_is_ready_and_names_its_tasks(bench: Bench) -> None:
    bench.topics(**{"in": 2, "out": 1})
    running = bench.run(counting(bench), ONLY, TaskId(0, 1), query_port=0)
    until(lambda: ask(running.worker.endpoint, "ready")[0] == 200, "the worker to be ready")
    assert ask(running.worker.endpoint, "live") == (200, {"state": "running"})
    assert ask(running.worker.endpoint, "ready")[1] == {
        "state": "running",
        "tasks": {"running": ["0_0", "0_1"], "restoring": [], "standing_by": []},
        "restore": [],
        "standbys": [],
    }


def test_worker_without_an_assignment_is_live_but_not_ready(bench: Bench) -> None:
    bench.topics(**{"in": 1, "out": 1})
    running = bench.run(counting(bench), query_port=0)
    until(lambda: running.worker.endpoint, "the server")
    assert ask(running.worker.endpoint, "live") == (200, {"state": "rebalancing"})
    status, body = ask(running.worker.endpoint, "ready")
    assert (status, body["state"]) == (503, "rebalancing")


def test_worker_that_restores_says_how_far_it_is(bench: Bench) -> None:
    """Asked while the changelog is being read, from the listener, which holds the stream thread there."""
    bench.topics(**{"in": 1, "out": 1})
    bench.produce("in", *[(f"k{i}", b"{}", 1_000 + i) for i in range(50)])
    app = counting(bench)
    first = bench.run(app, ONLY, directory="here")
    until(lambda: first.processed() == 50, "the records")
    first.stop()
    asked: list[tuple[int, dict[str, Any]]] = []
    again = bench.run(app, directory="there", query_port=0)

    def on_restore(progress: RestoreProgress) -> None:
        if not progress.done:
            asked.append(ask(again.worker.endpoint, "ready"))

    again.heard.on_restore = on_restore  # type: ignore[method-assign]
    until(lambda: again.worker.endpoint, "the server")
    again.membership.assign(ONLY)
    until(lambda: ask(again.worker.endpoint, "ready")[0] == 200, "the worker to be ready")
    ((status, body),) = asked
    assert (status, body["state"]) == (503, "rebalancing")
    assert body["tasks"] == {"running": [], "restoring": ["0_0"], "standing_by": []}
    (restore,) = body["restore"]
    assert (restore["task"], restore["store"], restore["position"]) == ("0_0", "counts", 0)
    assert restore["remaining"] == restore["end_offset"] >= 50


def test_worker_answers_from_its_first_moment(bench: Bench) -> None:
    """Before topics are looked up and the group is joined: here no broker answers at all."""
    from streams.runtime.options import WorkerOptions
    from streams.runtime.worker import Worker
    from tests.streams.runtime.bench import Heard
    from tests.streams.runtime.scripted import ScriptedMembership

    asked: list[tuple[int, dict[str, Any]]] = []

    class Asking(Heard):
        def on_endpoint(self, endpoint: str | None) -> None:
            if endpoint is not None:
                asked.extend(ask(endpoint, path) for path in ("live", "ready"))
                running.worker.stop()

    app = counting(bench)
    options = WorkerOptions(
        application_id=bench.tag,
        bootstrap_servers="127.0.0.1:1",
        state_dir=bench.directory,
        client_config={"log_level": 0},
        connect_timeout_s=0.5,
        query_port=0,
    )
    heard = Asking()
    worker = Worker(app.plan(), options, listener=heard)
    running = RunningWorker.__new__(RunningWorker)
    running.worker = worker
    RunningWorker.__init__(running, worker, ScriptedMembership(), heard)
    running.join()
    assert [(status, body["state"]) for status, body in asked] == [(200, "rebalancing"), (503, "rebalancing")]


def test_worker_that_gave_a_task_away_is_ready_without_it(bench: Bench) -> None:
    bench.topics(**{"in": 2, "out": 1})
    running = bench.run(counting(bench), ONLY, TaskId(0, 1), query_port=0)
    running.membership.push(Revoked(frozenset({TaskId(0, 1)})))
    until(lambda: ask(running.worker.endpoint, "ready")[1]["tasks"]["running"] == ["0_0"], "one task to go")
    until(lambda: ask(running.worker.endpoint, "ready")[0] == 200, "the worker to be ready")


def reading(state: WorkerState, *, coming: int = 0) -> WorkerReading:
    tasks = (frozenset({ONLY}), frozenset(TaskId(1, n) for n in range(coming)))
    return WorkerReading(application_id="a", client_id="a-0", state=state, tasks=tasks, thread=None)


def test_ready_is_running_with_nothing_on_its_way() -> None:
    assert [state for state in WorkerState if ready(reading(state)).well] == [WorkerState.RUNNING]
    assert not ready(reading(WorkerState.RUNNING, coming=1)).well


def test_live_is_everything_but_failed_and_ended() -> None:
    dead = [state for state in WorkerState if not live(reading(state)).well]
    assert dead == [WorkerState.NOT_RUNNING, WorkerState.ERROR]


def test_ready_tells_how_far_standbys_are(bench: Bench) -> None:
    """They are no reason not to be ready."""
    bench.topics(**{"in": 1, "out": 1})
    running = bench.run(counting(bench), ONLY, directory="one")
    until(lambda: running.running() == {ONLY}, "the task")
    standby = bench.run(counting(bench), directory="two", query_port=0)
    standby.membership.assign(standbys=[ONLY])
    until(lambda: standby.worker.endpoint is not None, "the endpoint")
    until(lambda: ask(standby.worker.endpoint, "ready")[1]["standbys"], "the lag")
    status, body = ask(standby.worker.endpoint, "ready")
    assert (status, body["tasks"]) == (200, {"running": [], "restoring": [], "standing_by": ["0_0"]})
    assert [(each["task"], each["lag"]) for each in body["standbys"]] == [("0_0", 0)]
    with urllib.request.urlopen(f"http://{standby.worker.endpoint}/metrics", timeout=10) as answer:
        exposed = answer.read().decode()
    assert 'store="counts",task_id="0_0"' in exposed or 'task_id="0_0",store="counts"' in exposed
    assert "\nheadrace_standby_lag_records{" in exposed
