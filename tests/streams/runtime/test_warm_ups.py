"""When a worker asks for the rebalance that moves tasks to it."""

from __future__ import annotations

from typing import Any

from streams.plan.task_id import TaskId
from streams.runtime.warm_ups import GATHER_S, WarmUps
from tests.streams.runtime.scripted import ScriptedMembership

ONE, TWO = TaskId(0, 1), TaskId(0, 2)
PROBING_S = 600.0


class Replicas:
    """Standbys, as far as this is about them."""

    def __init__(self) -> None:
        self.warming: frozenset[TaskId] = frozenset()
        self.warm: list[TaskId] = []

    def warmed_up(self) -> list[TaskId]:
        return self.warm


class Asking:
    def __init__(self) -> None:
        self.now = 0.0
        self.membership = ScriptedMembership()
        self.replicas: Any = Replicas()
        self.warm_ups = WarmUps(self.membership, self.replicas, probing_interval_s=PROBING_S, clock=lambda: self.now)

    def assigned(self, *warming: TaskId) -> None:
        self.replicas.warming = frozenset(warming)
        self.warm_ups.assigned()

    def look(self, at: float, *warm: TaskId) -> list[str]:
        """What is asked for then."""
        self.now, self.replicas.warm = at, list(warm)
        before = len(self.membership.wanted_rebalances)
        self.warm_ups.look()
        return self.membership.wanted_rebalances[before:]


def test_all_caught_up_asks_at_once_and_only_once() -> None:
    asking = Asking()
    asking.assigned(ONE, TWO)
    assert asking.look(1.0) == []
    assert asking.look(2.0, ONE, TWO) == ["warm-up replicas have caught up: 0_1 0_2"]
    assert asking.look(3.0, ONE, TWO) == []


def test_one_caught_up_waits_a_moment_for_the_others() -> None:
    asking = Asking()
    asking.assigned(ONE, TWO)
    assert asking.look(5.0, ONE) == []
    assert asking.look(5.0 + GATHER_S / 2, ONE) == []
    assert asking.look(5.0 + GATHER_S, ONE) == ["warm-up replicas have caught up: 0_1"]


def test_next_assignment_may_be_asked_for_again() -> None:
    asking = Asking()
    asking.assigned(ONE)
    assert len(asking.look(1.0, ONE)) == 1
    asking.assigned(TWO)
    assert asking.look(2.0) == []
    assert len(asking.look(3.0, TWO)) == 1


def test_leader_that_did_not_agree_is_probed_after_the_interval() -> None:
    asking = Asking()
    asking.assigned(ONE)
    asking.look(1.0, ONE)
    assert asking.look(PROBING_S - 1) == []
    assert asking.look(PROBING_S) == ["probing whether warm-up replicas have caught up"]
    assert asking.look(PROBING_S + 1) == []


def test_nothing_to_warm_up_never_asks() -> None:
    asking = Asking()
    asking.assigned()
    assert asking.look(2 * PROBING_S) == []
