"""What a host knows of the state that lies on it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from streams import App
from streams.errors import StreamsError
from streams.plan.task_id import TaskId
from streams.runtime.local_state import NOTE, leave_note, local_positions
from streams.runtime.replica import Changelog
from streams.runtime.state_lags import REFRESH_EVERY_S, StateLags


class Ends:
    def __init__(self, end: int | None) -> None:
        self.end = end
        self.places: Collection[tuple[str, int]] = ()

    def request(self, places: Collection[tuple[str, int]]) -> Ends:
        self.places = places
        return self

    def done(self) -> bool:
        return True

    def result(self, timeout_s: float) -> Mapping[tuple[str, int], int]:
        if self.end is None:
            raise StreamsError("no answer")
        return dict.fromkeys(self.places, self.end)


def plan() -> Any:
    app = App("app")
    app.stream("in", key=str, value=dict).group_by_key().count(store="counts")
    return app.plan().partitions({"in": 3})


def note(directory: Path, task: TaskId, **positions: int) -> None:
    (directory / str(task)).mkdir()
    closed: Any = SimpleNamespace(
        changelogs=(Changelog("counts", "app-counts-changelog", task.partition),),
        state=SimpleNamespace(positions=positions),
    )
    leave_note(directory / str(task), closed)


def lags(directory: Path, ends: Ends) -> Mapping[TaskId, int]:
    told: list[Mapping[TaskId, int]] = [{}]
    StateLags(local_positions(directory, plan()), ends, told.append, clock=lambda: 0.0).begin()
    return told[-1]


def test_lags_are_what_the_changelog_has_more(tmp_path: Path) -> None:
    note(tmp_path, TaskId(0, 0), counts=100)
    note(tmp_path, TaskId(0, 2), counts=120)
    assert lags(tmp_path, Ends(120)) == {TaskId(0, 0): 20, TaskId(0, 2): 0}


def test_lags_changelog_made_anew_counts_as_nothing_to_read(tmp_path: Path) -> None:
    note(tmp_path, TaskId(0, 0), counts=100)
    assert lags(tmp_path, Ends(0)) == {TaskId(0, 0): 0}


def test_lags_without_an_answer_or_a_note_are_unknown(tmp_path: Path) -> None:
    assert lags(tmp_path, Ends(5)) == {}
    note(tmp_path, TaskId(0, 0), counts=100)
    assert lags(tmp_path, Ends(None)) == {}
    (tmp_path / "0_0" / NOTE).write_bytes(b'{"app-cou')
    assert lags(tmp_path, Ends(120)) == {}


def test_lags_of_state_that_rests_grow_with_its_changelog_and_end_when_the_task_runs(tmp_path: Path) -> None:
    note(tmp_path, TaskId(0, 0), counts=100)
    told: list[Mapping[TaskId, int]] = []
    ends, now = Ends(120), [0.0]
    lags = StateLags(local_positions(tmp_path, plan()), ends, told.append, clock=lambda: now[0])
    lags.begin()
    ends.end, now[0] = 170, REFRESH_EVERY_S
    for _ in range(2):  # asks, and takes in the answer
        lags.refresh()
    running: Any = SimpleNamespace(id=TaskId(0, 0))
    lags.running([running])
    lags.gone([TaskId(0, 0)])
    assert told == [{TaskId(0, 0): 20}, {TaskId(0, 0): 70}, {TaskId(0, 0): 0}, {}]
