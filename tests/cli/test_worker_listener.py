"""What a worker tells at the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.cli.home import Home
from streams.cli.worker_listener import WITHOUT_TASKS, TalkingListener
from streams.plan.task_id import TaskId
from streams.runtime.listener import RestoreProgress
from streams.runtime.phase import WorkerState

NONE: frozenset[TaskId] = frozenset()
BOTH = frozenset({TaskId(1, 0), TaskId(0, 0)})


@pytest.fixture
def listener(tmp_path: Path) -> TalkingListener:
    return TalkingListener(Home(tmp_path), "words")


def progress(position: int, *, done: bool = False) -> RestoreProgress:
    return RestoreProgress(
        task=TaskId(0, 0),
        store="counts",
        topic="words-counts-changelog",
        start_offset=0,
        position=position,
        end_offset=3000,
        records=position,
        records_per_s=1000.0,
        done=done,
    )


def test_listener_names_tasks_once_and_only_while_running(
    listener: TalkingListener, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not while they are opened one by one, not twice, and again when they change."""
    listener.on_tasks(frozenset({TaskId(0, 0)}), frozenset({TaskId(1, 0)}))
    listener.on_tasks(BOTH, NONE)
    assert capsys.readouterr().err == ""
    listener.on_state(WorkerState.REBALANCING, WorkerState.RUNNING)
    listener.on_tasks(BOTH, NONE)
    assert capsys.readouterr().err == "running 0_0, 1_0\n"
    listener.on_tasks(NONE, NONE)
    assert capsys.readouterr().err == f"{WITHOUT_TASKS}\n"


def test_listener_names_standbys_while_running(listener: TalkingListener, capsys: pytest.CaptureFixture[str]) -> None:
    listener.on_standbys(BOTH)
    assert capsys.readouterr().err == ""
    listener.on_state(WorkerState.REBALANCING, WorkerState.RUNNING)
    listener.on_standbys(BOTH)
    listener.on_standbys(NONE)
    assert capsys.readouterr().err.splitlines() == [
        WITHOUT_TASKS,
        "standing by for 0_0, 1_0",
        "standing by for no task any more",
    ]


def test_listener_shows_restoring_with_the_time_to_go(
    listener: TalkingListener, capsys: pytest.CaptureFixture[str]
) -> None:
    """How much is left and how long it takes; what it was in the end; nothing about nothing."""
    listener.on_restore(progress(1000))
    listener.on_restore(progress(3000, done=True))
    listener.on_restore(progress(0, done=True))
    assert capsys.readouterr().err.splitlines() == [
        "task 0_0: restoring counts, 2,000 records to read, 2 s to go",
        "task 0_0: counts restored, 3,000 records",
    ]


def test_listener_announces_the_endpoint_while_it_is_there(listener: TalkingListener, tmp_path: Path) -> None:
    """`headrace query` finds it, and no longer does when it is gone, whichever way."""
    listener.on_endpoint("127.0.0.1:7070")
    assert [worker.endpoint for worker in Home(tmp_path).workers()] == ["127.0.0.1:7070"]
    listener.on_endpoint(None)
    assert Home(tmp_path).workers() == []
    listener.on_endpoint("127.0.0.1:7071")
    listener.close()
    assert Home(tmp_path).workers() == []
