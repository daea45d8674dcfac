"""The assignor's promises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.plan.task_id import TaskId
from streams.runtime.membership.assignor import ACCEPTABLE_LAG, TOLERATED_SKEW, Candidate, assign
from streams.runtime.membership.handover import handover
from streams.runtime.membership.universe import TaskUniverse
from tests.streams.membership.universes import candidate, tasks, universe, universes

Targets = Mapping[str, frozenset[TaskId]]
MEMBERS = "abcdefgh"


def settled(world: TaskUniverse, names: str) -> Targets:
    return assign(world, [candidate(name) for name in names])


def holding(targets: Targets, names: str) -> list[Candidate]:
    return [candidate(name, targets.get(name, frozenset())) for name in names]


def moves(world: TaskUniverse, before: Targets, after: Targets) -> int:
    """Tasks taken from a living owner."""
    return sum(len((before.get(name, frozenset()) & set(world.inputs)) - after[name]) for name in after)


def skew(world: TaskUniverse, targets: Targets) -> int:
    """The largest difference between members in the number of tasks of one sub-topology."""
    subs = {task.subtopology for task in world.tasks}
    counts = {sub: [sum(task.subtopology == sub for task in owned) for owned in targets.values()] for sub in subs}
    return max((max(of_sub) - min(of_sub) for of_sub in counts.values()), default=0)


def check_complete_and_balanced(world: TaskUniverse, targets: Targets) -> None:
    dealt = [task for owned in targets.values() for task in owned]
    assert sorted(dealt) == list(world.tasks)
    sizes = [len(owned) for owned in targets.values()]
    assert max(sizes) - min(sizes) <= 1


@st.composite
def candidates(draw: st.DrawFn, world: TaskUniverse) -> list[Candidate]:
    """Members that claim anything: unbalanced, twice, tasks that are no more, and lags for any of it."""
    known = st.sampled_from([*world.tasks, TaskId(9, 9)])
    return [
        candidate(
            name,
            draw(st.frozensets(known)),
            leaving=draw(st.frozensets(known, max_size=2)),
            lags=draw(st.dictionaries(known, st.integers(0, 3 * ACCEPTABLE_LAG), max_size=4)),
            generation=draw(st.integers(-1, 3)),
            host=draw(st.sampled_from(["h1", "h2"])),
        )
        for name in MEMBERS[: draw(st.integers(1, 6))]
    ]


@given(st.data())
def test_assign_any_claims_gives_each_task_one_owner_and_equal_totals(data: st.DataObject) -> None:
    world = data.draw(universes)
    check_complete_and_balanced(world, assign(world, data.draw(candidates(world))))


@given(st.data())
def test_assign_members_in_another_order_gives_the_same(data: st.DataObject) -> None:
    world = data.draw(universes)
    members = data.draw(candidates(world))
    assert assign(world, data.draw(st.permutations(members))) == assign(world, members)


@given(universes, st.integers(1, 8))
def test_assign_fresh_group_spreads_every_subtopology_evenly(world: TaskUniverse, size: int) -> None:
    assert skew(world, settled(world, MEMBERS[:size])) <= 1


@given(universes, st.integers(1, 8))
def test_assign_settled_group_moves_nothing(world: TaskUniverse, size: int) -> None:
    targets = settled(world, MEMBERS[:size])
    assert assign(world, holding(targets, MEMBERS[:size])) == targets


@given(universes, st.integers(1, 7))
def test_assign_join_moves_only_to_the_newcomer_and_at_most_its_share(world: TaskUniverse, size: int) -> None:
    names = MEMBERS[: size + 1]
    before = settled(world, MEMBERS[:size])
    after = assign(world, holding(before, names))
    assert moves(world, before, after) <= -(-len(world.tasks) // len(names))
    assert moves(world, before, after) == len(after[names[-1]])


@given(universes, st.integers(2, 8))
def test_assign_leave_keeps_what_the_others_have(world: TaskUniverse, size: int) -> None:
    before = settled(world, MEMBERS[:size])
    after = assign(world, holding(before, MEMBERS[1:size]))
    assert moves(world, before, after) == 0


@given(universes, st.lists(st.sampled_from(MEMBERS[:6]), min_size=1, max_size=12))
def test_assign_members_come_and_go_each_join_stays_within_its_share(
    world: TaskUniverse, toggles: Sequence[str]
) -> None:
    """However often members come and go: little moves, and sub-topologies do not drift apart for good."""
    present, owned = {"h"}, dict(settled(world, "h"))
    for name in toggles:
        present ^= {name}
        owned.pop(name, None)
        names = "".join(sorted(present))
        after = assign(world, holding(owned, names))
        check_complete_and_balanced(world, after)
        assert moves(world, owned, after) <= -(-len(world.tasks) // len(names))
        owned = dict(after)
    for _ in range(len(world.tasks)):
        owned = dict(assign(world, holding(owned, "".join(sorted(present)))))
    assert skew(world, owned) <= TOLERATED_SKEW


@given(st.data())
def test_assign_repeated_through_handovers_converges(data: st.DataObject) -> None:
    """Whatever the start: after some rounds nothing moves any more, and no round gives a claimed task to another."""
    world = data.draw(universes)
    members = data.draw(candidates(world))
    for _ in range(3 * len(world.tasks) + 3):
        targets = assign(world, members)
        shares = handover(targets, members)
        for member in members:
            for other in members:
                if other is not member:
                    started = shares[member.member_id].tasks - member.subscription.held
                    assert not started & other.subscription.claimed
        unchanged = all(
            shares[m.member_id].tasks == m.subscription.held and not shares[m.member_id].withdrawn for m in members
        )
        if unchanged:
            break
        members = [candidate(m.member_id, shares[m.member_id].tasks, lags=dict(m.subscription.lags)) for m in members]
    else:
        raise AssertionError("still moving")
    check_complete_and_balanced(world, {m.member_id: m.subscription.held for m in members})


def test_assign_two_claim_the_same_task_the_later_generation_keeps_it() -> None:
    world = universe(2)
    members = [candidate("a", tasks("0_0"), generation=4), candidate("b", tasks("0_0"), generation=5)]
    assert assign(world, members) == {"a": tasks("0_1"), "b": tasks("0_0")}


def test_assign_ownerless_task_goes_where_its_state_is() -> None:
    world = universe(4, stateful=[0])
    lags = dict.fromkeys(tasks("0_1", "0_3"), 10)
    members = [candidate("a"), candidate("b", lags=lags)]
    assert assign(world, members)["b"] == tasks("0_1", "0_3")


@pytest.mark.parametrize(("lag", "both_go_there"), [(ACCEPTABLE_LAG, True), (ACCEPTABLE_LAG + 1, False)])
def test_assign_state_far_behind_does_not_outweigh_an_even_spread(lag: int, both_go_there: bool) -> None:
    world = universe(2, 2, stateful=[0])
    members = [candidate("a"), candidate("b", lags={TaskId(0, 0): lag, TaskId(0, 1): lag})]
    assert (assign(world, members)["b"] == tasks("0_0", "0_1")) is both_go_there


def test_assign_state_of_the_same_host_counts_for_all_its_processes() -> None:
    world = universe(2, stateful=[0])
    lags = dict.fromkeys(world.tasks, 0)
    members = [
        candidate("a", host="here", lags=lags),
        candidate("b", host="here"),
        candidate("z", host="there"),
    ]
    assert assign(world, members)["z"] == frozenset()


def test_assign_newcomer_takes_stateless_tasks_first_where_both_are_spread_alike() -> None:
    """A share of either sub-topology fits: the one without state is cheaper to move."""
    world = universe(3, 3, stateful=[1])
    members = [candidate("a", tasks("0_0", "0_1", "1_0")), candidate("b", tasks("0_2", "1_1", "1_2")), candidate("c")]
    after = assign(world, members)
    assert after["c"] == tasks("0_1", "1_2")


def test_assign_gross_skew_is_swapped_away_within_the_budget() -> None:
    """All of one kind here and of the other there: equal totals alone would keep it so for ever."""
    world = universe(8, 8)
    owned: Targets = {
        "a": frozenset(TaskId(0, p) for p in range(8)),
        "b": frozenset(TaskId(1, p) for p in range(8)),
    }
    first = assign(world, holding(owned, "ab"))
    assert moves(world, owned, first) <= 8
    assert skew(world, first) <= TOLERATED_SKEW


def test_assign_without_members_raises() -> None:
    with pytest.raises(ValueError, match="without members"):
        assign(universe(1), [])
