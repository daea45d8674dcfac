"""The simulated group of `bench.assignor`, at a size for tests."""

from __future__ import annotations

import random

import pytest

from bench.assignor import Group
from streams.plan.task_id import TaskId
from streams.runtime.membership.leader import MOST_VIEW_BYTES, lead
from streams.runtime.membership.rules import AssignmentRules
from streams.runtime.membership.universe import TaskUniverse
from streams.runtime.membership.user_data import decode_assignment


def group(tasks: int, workers: int) -> Group:
    ids = [TaskId(number % 5, number // 5) for number in range(tasks)]
    universe = TaskUniverse(
        inputs={task: (("in", task.partition),) for task in ids},
        stateful=frozenset(ids),
        backlog=dict.fromkeys(ids, 1_000_000),
    )
    made = Group(universe, AssignmentRules(standby_replicas=1, warmup_replicas=20), hosts=5)
    made.join(workers)
    return made


def test_simulated_group_one_member_comes_or_goes_at_a_time_nothing_starts_cold() -> None:
    """With one standby of each task, the state is always somewhere when a single worker goes."""
    simulated, draw = group(200, 20), random.Random(1)
    assert simulated.settle().rounds == 1
    for _ in range(6):
        if draw.random() < 0.5:
            simulated.leave([draw.choice(simulated.members)])
        else:
            simulated.join(1)
        settled = simulated.settle()
        assert settled.cold == 0
        assert settled.rounds <= 12
        assert settled.moves <= 2 * 200 // len(simulated.members)


@pytest.mark.parametrize(("workers", "views"), [(60, 60), (160, 0)])
def test_simulated_group_assignments_fit_into_a_record_with_views_or_without(workers: int, views: int) -> None:
    simulated = group(workers * 5, workers)
    simulated.settle()
    assignments = lead(simulated.universe, simulated.members, 1, simulated.rules)
    assert sum(map(len, assignments.values())) < MOST_VIEW_BYTES + 100_000
    assert {len(decode_assignment(each).members) for each in assignments.values()} == {views}
