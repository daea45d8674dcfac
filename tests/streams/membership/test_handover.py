"""Moving a task takes two rounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from streams.plan.task_id import TaskId
from streams.runtime.membership.assignor import Target
from streams.runtime.membership.handover import Share
from streams.runtime.membership.handover import handover as hand_over
from streams.runtime.membership.place import Candidate
from tests.streams.membership.universes import candidate, tasks


def handover(active: Mapping[str, frozenset[TaskId]], members: Sequence[Candidate]) -> dict[str, Share]:
    return hand_over({name: Target(active=owned) for name, owned in active.items()}, members)


def test_handover_claimed_task_is_withdrawn_and_given_to_nobody() -> None:
    members = [candidate("a", tasks("0_0", "0_1")), candidate("b")]
    shares = handover({"a": tasks("0_0"), "b": tasks("0_1")}, members)
    assert (shares["a"].tasks, shares["a"].withdrawn) == (tasks("0_0"), tasks("0_1"))
    assert (shares["b"].tasks, shares["b"].withdrawn) == (tasks(), tasks())


def test_handover_released_task_goes_to_its_new_owner() -> None:
    members = [candidate("a", tasks("0_0")), candidate("b")]
    shares = handover({"a": tasks("0_0"), "b": tasks("0_1")}, members)
    assert shares["b"].tasks == tasks("0_1")
    assert not any(share.withdrawn for share in shares.values())


def test_handover_task_still_being_closed_stays_claimed() -> None:
    members = [candidate("a", leaving=tasks("0_1")), candidate("b")]
    shares = handover({"a": tasks(), "b": tasks("0_1")}, members)
    assert shares["a"].withdrawn == tasks("0_1")
    assert shares["b"].tasks == tasks()


def test_handover_task_being_closed_can_be_given_back() -> None:
    shares = handover({"a": tasks("0_1")}, [candidate("a", leaving=tasks("0_1"))])
    assert (shares["a"].tasks, shares["a"].withdrawn) == (tasks("0_1"), tasks())


def test_handover_task_claimed_twice_stays_with_the_one_that_is_meant() -> None:
    members = [candidate("a", tasks("0_0")), candidate("b", tasks("0_0"))]
    shares = handover({"a": tasks("0_0"), "b": tasks()}, members)
    assert shares["a"].tasks == tasks("0_0")
    assert shares["b"].withdrawn == tasks("0_0")


def test_handover_task_that_is_no_more_needs_no_second_round() -> None:
    shares = handover({"a": tasks("0_0")}, [candidate("a", tasks("0_0", "7_0"))])
    assert shares["a"].tasks == tasks("0_0")
    assert shares["a"].withdrawn == tasks()


def test_handover_round_one_old_owner_keeps_the_state_and_the_new_one_goes_on_feeding_it() -> None:
    members = [candidate("a", tasks("0_0")), candidate("b", standbys=tasks("0_0"))]
    shares = hand_over({"a": Target(standby=tasks("0_0")), "b": Target(active=tasks("0_0"))}, members)
    assert (shares["a"].withdrawn, shares["a"].standbys) == (tasks("0_0"), tasks("0_0"))
    assert (shares["b"].tasks, shares["b"].standbys) == (tasks(), tasks("0_0"))


def test_handover_round_two_the_replica_is_active_and_no_standby_any_more() -> None:
    members = [candidate("a", standbys=tasks("0_0")), candidate("b", standbys=tasks("0_0"))]
    shares = hand_over({"a": Target(standby=tasks("0_0")), "b": Target(active=tasks("0_0"))}, members)
    assert (shares["a"].tasks, shares["a"].standbys) == (tasks(), tasks("0_0"))
    assert (shares["b"].tasks, shares["b"].standbys) == (tasks("0_0"), tasks())
