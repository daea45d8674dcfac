"""What every membership promises."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from streams.errors import ApplicationShutdownError, TopologyError, TopologyProblem
from streams.runtime.membership import (
    Assigned,
    CommitFailedError,
    CommittedOffset,
    Failed,
    GroupMembership,
    MemberOptions,
    Membership,
    SoloMembership,
    TaskUniverse,
)
from streams.wire import Client
from tests.streams.membership.conftest import wait_for
from tests.streams.membership.universes import universe

Make = Callable[[Callable[[], TaskUniverse]], Membership]


@pytest.fixture(params=["group", "solo"])
def make(request: pytest.FixtureRequest, group_id: str) -> Iterator[Make]:
    made: list[Membership] = []

    def group(tasks: Callable[[], TaskUniverse]) -> Membership:
        options = MemberOptions(group_id=group_id, topics=("topic-0",), endpoint="here:1", session_timeout_ms=6_000)
        client: Client = request.getfixturevalue("client")
        made.append(GroupMembership(client, options, tasks, commit_timeout_s=10.0))
        return made[-1]

    def solo(tasks: Callable[[], TaskUniverse]) -> Membership:
        made.append(SoloMembership(tasks, group_id=group_id, endpoint="here:1"))
        return made[-1]

    yield {"group": group, "solo": solo}[request.param]
    for membership in made:
        membership.stop(leave=True)


def started(make: Make) -> Membership:
    membership = make(lambda: universe(3))
    membership.start()
    wait_for(membership.poll)
    return membership


def test_membership_started_gets_all_tasks(make: Make) -> None:
    membership = make(lambda: universe(3))
    assert membership.poll() in ([], ())
    membership.start()
    (event,) = wait_for(membership.poll)
    assert event == Assigned(frozenset(universe(3).tasks), 1)
    assert not membership.poll()


def test_membership_members_shows_itself(make: Make) -> None:
    membership = make(lambda: universe(3))
    assert not membership.members()
    membership.start()
    wait_for(membership.poll)
    (view,) = membership.members()
    assert view.tasks == frozenset(universe(3).tasks)
    assert view.endpoint == "here:1"


def test_membership_in_its_group_is_not_out_of_reach(make: Make) -> None:
    assert make(lambda: universe(3)).unreachable_since is None
    assert started(make).unreachable_since is None


def test_membership_commit_is_read_back_whole(make: Make) -> None:
    membership = started(make)
    offsets = {
        ("topic-0", 0): CommittedOffset(7, "partition time 12", 3),
        ("topic-0", 2): CommittedOffset(0),
        ("other", 0): CommittedOffset(2**40, "ü"),
    }
    membership.commit(offsets)
    assert membership.committed([*offsets, ("topic-0", 1)]) == {**offsets, ("topic-0", 1): None}


def test_membership_commit_again_replaces(make: Make) -> None:
    membership = started(make)
    membership.commit({("topic-0", 0): CommittedOffset(7, "a")})
    membership.commit({("topic-0", 0): CommittedOffset(3)})
    assert membership.committed([("topic-0", 0)]) == {("topic-0", 0): CommittedOffset(3)}


def test_membership_commit_of_nothing_does_nothing(make: Make) -> None:
    started(make).commit({})


def test_membership_committed_before_start_is_readable(make: Make) -> None:
    assert make(lambda: universe(1)).committed([("topic-0", 0)]) == {("topic-0", 0): None}


def test_membership_commit_of_a_stranger_is_fenced(make: Make) -> None:
    with pytest.raises(CommitFailedError) as caught:
        make(lambda: universe(1)).commit({("topic-0", 0): CommittedOffset(1)})
    assert caught.value.fenced


def test_membership_stopped_commit_is_fenced(make: Make) -> None:
    membership = started(make)
    membership.stop(leave=True)
    with pytest.raises(CommitFailedError) as caught:
        membership.commit({("topic-0", 0): CommittedOffset(1)})
    assert caught.value.fenced


def test_membership_stop_twice_and_unstarted_is_fine(make: Make) -> None:
    never_started = make(lambda: universe(1))
    never_started.stop(leave=True)
    membership = started(make)
    membership.stop(leave=True)
    membership.stop(leave=False)


def test_membership_group_metadata_names_the_group(make: Make, group_id: str) -> None:
    metadata = started(make).group_metadata()
    assert metadata.startswith(b"CGMDv2:\x01\0\0\0" + group_id.encode() + b"\0")


@pytest.mark.parametrize(
    "problem",
    [TopologyError([TopologyProblem(message="no topic 'in'")]), ZeroDivisionError("a bug")],
    ids=["ours", "a bug"],
)
def test_membership_tasks_cannot_be_found_fails(make: Make, problem: Exception) -> None:
    def broken() -> TaskUniverse:
        raise problem

    membership = make(broken)
    membership.start()
    (event,) = wait_for(membership.poll)
    assert isinstance(event, Failed)
    error: Any = event.error
    assert problem in (error, error.__cause__)


def test_membership_report_is_taken_at_any_time(make: Make) -> None:
    membership = make(lambda: universe(1))
    membership.report(dict.fromkeys(universe(1).tasks, 5))
    membership.start()
    wait_for(membership.poll)
    membership.report({})
    assert membership.generation_known


def test_membership_whose_application_is_ended_fails_with_the_reason(make: Make) -> None:
    """Who asks for it is among those who are told. Source: KIP-671."""
    membership = started(make)
    membership.end_application("a record that nobody can process")
    events = wait_for(lambda: [event for event in membership.poll() if isinstance(event, Failed)])
    assert isinstance(events[0].error, ApplicationShutdownError)
    assert str(events[0].error) == "a record that nobody can process"
