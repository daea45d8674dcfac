"""How far changelogs are in the local state: never too far."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pytest

from streams.plan.task_id import TaskId
from streams.runtime.changelog_positions import ChangelogPositions

TASK, OTHER = TaskId(0, 1), TaskId(1, 1)
LOG = ("changelog", 1)


class Ends:
    """A broker that answers when the test says so."""

    def __init__(self) -> None:
        self.end = 0
        self.requests: list[Request] = []

    def request(self, places: Collection[tuple[str, int]]) -> Request:
        self.requests.append(Request(dict.fromkeys(places, self.end)))
        return self.requests[-1]


class Request:
    def __init__(self, ends: Mapping[tuple[str, int], int]) -> None:
        self.ends = ends
        self.answered = False

    def done(self) -> bool:
        return self.answered

    def result(self, timeout_s: float) -> Mapping[tuple[str, int], int]:
        return self.ends


@pytest.fixture
def ends() -> Ends:
    return Ends()


@pytest.fixture
def positions(ends: Ends) -> ChangelogPositions:
    positions = ChangelogPositions(ends, refresh_after=10)
    positions.add(TASK, {LOG: 100})
    return positions


def commit(
    positions: ChangelogPositions, ends: Ends, count: int, task: TaskId = TASK, *, completes: bool = True
) -> None:
    positions.before_write()
    positions.sent(task, LOG, count)
    ends.end += count
    if completes:
        positions.after_commit([task])


def test_positions_few_records_are_not_worth_a_question(positions: ChangelogPositions, ends: Ends) -> None:
    commit(positions, ends, 9)
    assert ends.requests == []
    assert positions.get(TASK, LOG) == 100


def test_positions_answer_between_two_commits_is_taken(positions: ChangelogPositions, ends: Ends) -> None:
    ends.end = 100
    commit(positions, ends, 10)
    ends.requests[0].answered = True
    commit(positions, ends, 3)
    assert positions.get(TASK, LOG) == 110


def test_positions_answer_that_comes_too_late_is_thrown_away(positions: ChangelogPositions, ends: Ends) -> None:
    """It might count records of the commit that has begun, which are not in the state if that fails."""
    ends.end = 100
    commit(positions, ends, 10)
    commit(positions, ends, 3)
    ends.requests[0].answered = True
    commit(positions, ends, 3)
    assert positions.get(TASK, LOG) == 100
    assert len(ends.requests) == 3


def test_positions_of_a_task_with_an_unfinished_commit_stay(positions: ChangelogPositions, ends: Ends) -> None:
    """Its records are in the log and not in its state; another task's commit in between changes nothing about it."""
    positions.add(OTHER, {LOG: 100})
    ends.end = 100
    commit(positions, ends, 10, completes=False)
    commit(positions, ends, 10, OTHER)
    ends.requests[0].answered = True
    positions.before_write()
    assert positions.get(TASK, LOG) == 100
    assert positions.get(OTHER, LOG) == 120
    positions.after_commit([TASK])
    ends.requests[-1].answered = True
    positions.before_write()
    assert positions.get(TASK, LOG) == 120


def test_positions_settled_are_exact(positions: ChangelogPositions, ends: Ends) -> None:
    ends.end = 100
    commit(positions, ends, 3, completes=False)
    positions.settle([TASK], 1.0)
    assert positions.get(TASK, LOG) == 103


def test_positions_settling_what_has_sent_nothing_asks_nothing(positions: ChangelogPositions, ends: Ends) -> None:
    positions.settle([TASK], 1.0)
    assert ends.requests == []


def test_positions_of_a_removed_task_are_gone(positions: ChangelogPositions) -> None:
    positions.remove([TASK])
    with pytest.raises(KeyError):
        positions.get(TASK, LOG)
