"""When commits are due."""

from __future__ import annotations

import pytest

from streams.runtime.commit_schedule import CommitSchedule


@pytest.fixture
def schedule() -> CommitSchedule:
    schedule = CommitSchedule(1.0, patience_s=0.2)
    schedule.done(10.0)
    return schedule


@pytest.mark.parametrize(("now", "due"), [(10.99, False), (11.0, True), (12.0, True)])
def test_commit_is_due_after_the_interval(schedule: CommitSchedule, now: float, due: bool) -> None:
    assert schedule.due(now, asked=False, generation_known=True) is due


def test_commit_asked_for_is_due_at_once(schedule: CommitSchedule) -> None:
    assert schedule.due(10.5, asked=True, generation_known=True)


@pytest.mark.parametrize(("now", "due"), [(11.0, False), (11.19, False), (11.21, True)])
def test_commit_waits_for_the_next_generation_but_not_long(schedule: CommitSchedule, now: float, due: bool) -> None:
    assert schedule.due(now, asked=False, generation_known=False) is due


def test_commit_asked_for_while_the_group_moves_waits_from_when_it_was_asked_for(schedule: CommitSchedule) -> None:
    assert not schedule.due(10.5, asked=True, generation_known=False)
    assert not schedule.due(10.6, asked=True, generation_known=False)
    assert schedule.due(10.71, asked=True, generation_known=False)


def test_commit_that_waited_comes_as_soon_as_it_is_known(schedule: CommitSchedule) -> None:
    assert not schedule.due(11.1, asked=False, generation_known=False)
    assert schedule.due(11.11, asked=False, generation_known=True)
