"""What a test can do to a worker through its solo membership."""

from __future__ import annotations

import pytest

from streams.runtime.membership import Assigned, CommitFailedError, CommittedOffset, Lost, Revoked, SoloMembership
from tests.streams.membership.universes import tasks, universe


def started() -> SoloMembership:
    membership = SoloMembership(lambda: universe(3))
    membership.start()
    membership.poll()
    return membership


def test_solo_revoked_tasks_are_told_before_the_rest_is_assigned() -> None:
    membership = started()
    membership.revoke(tasks("0_1"))
    assert membership.poll() == (Revoked(tasks("0_1")), Assigned(tasks("0_0", "0_2"), 2))
    membership.released(tasks("0_1"))
    assert membership.poll() == ()


def test_solo_task_given_back_early_comes_when_it_is_released() -> None:
    membership = started()
    membership.revoke(tasks("0_1"))
    membership.assign(universe(3).tasks)
    membership.poll()
    assert membership.tasks == tasks("0_0", "0_2")
    membership.released(tasks("0_1"))
    assert membership.poll() == (Assigned(tasks("0_0", "0_1", "0_2"), 4),)


def test_solo_lost_worker_gets_tasks_again() -> None:
    membership = started()
    membership.lose("gone")
    membership.assign(tasks("0_0"))
    assert membership.poll() == (Lost("gone"), Assigned(tasks("0_0"), 2))


def test_solo_commits_fail_as_told_then_succeed() -> None:
    membership = started()
    membership.fail_commits(CommitFailedError("not now", retriable=True))
    with pytest.raises(CommitFailedError, match="not now"):
        membership.commit({("in", 0): CommittedOffset(1)})
    membership.commit({("in", 0): CommittedOffset(1)})
    assert membership.offsets == {("in", 0): CommittedOffset(1)}


def test_solo_successor_finds_the_offsets() -> None:
    first = started()
    first.commit({("in", 0): CommittedOffset(4)})
    successor = SoloMembership(lambda: universe(3), offsets=first.offsets)
    assert successor.committed([("in", 0)]) == {("in", 0): CommittedOffset(4)}
