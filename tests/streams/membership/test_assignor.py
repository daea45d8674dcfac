"""The assignor's promises: complete, never twice, warm before it moves, copies apart. Evenness is in `test_balance`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from streams.plan.task_id import TaskId
from streams.runtime.membership.assignor import Target, assign
from streams.runtime.membership.handover import handover
from streams.runtime.membership.place import Candidate
from streams.runtime.membership.rules import AssignmentRules
from streams.runtime.membership.universe import TaskUniverse
from streams.runtime.membership.user_data import Subscription
from tests.streams.membership.test_balance import candidates, check_balanced
from tests.streams.membership.universes import candidate, tasks, universe, universes

FAR = 50_000
RULES = AssignmentRules()
rules = st.builds(
    AssignmentRules,
    standby_replicas=st.integers(0, 3),
    warmup_replicas=st.integers(1, 3),
    spread_tags=st.sampled_from([(), ("zone",), ("zone", "cluster")]),
)


def with_backlog(world: TaskUniverse, backlog: int | None) -> TaskUniverse:
    return replace(world, backlog={} if backlog is None else dict.fromkeys(world.tasks, backlog))


worlds = st.builds(with_backlog, universes, st.sampled_from([None, 0, FAR]))


def check_sound(world: TaskUniverse, members: Sequence[Candidate], targets: Mapping[str, Target]) -> None:
    """Every task once, standbys only of what has state, and no disk with two copies."""
    assert sorted(task for target in targets.values() for task in target.active) == list(world.tasks)
    copies: Counter[tuple[TaskId, str, str]] = Counter()
    for member in members:
        told, target = member.subscription, targets[member.member_id]
        assert target.standby <= world.stateful
        assert target.warming <= target.standby
        assert not target.active & target.standby
        copies.update((task, told.host, told.state_dir) for task in (target.active & world.stateful) | target.standby)
    assert all(count == 1 for count in copies.values()), copies


@given(st.data(), worlds, rules)
def test_assign_any_claims_is_complete_and_never_twice(
    data: st.DataObject, world: TaskUniverse, chosen: AssignmentRules
) -> None:
    members = data.draw(candidates(world))
    targets = assign(world, members, chosen)
    check_sound(world, members, targets)
    assert sum(len(target.warming) for target in targets.values()) <= chosen.warmup_replicas


@given(st.data(), worlds, st.integers(1, 3))
def test_assign_standbys_are_as_many_as_disks_allow_and_on_other_hosts_where_there_are(
    data: st.DataObject, world: TaskUniverse, count: int
) -> None:
    members = data.draw(candidates(world))
    targets = assign(world, members, AssignmentRules(standby_replicas=count))
    told = {member.member_id: member.subscription for member in members}
    disks = {(each.host, each.state_dir) for each in told.values()}
    hosts = {each.host for each in told.values()}
    for task in world.stateful:
        warming = [name for name, target in targets.items() if task in target.warming]
        active = [name for name, target in targets.items() if task in target.active]
        standby = [name for name, target in targets.items() if task in target.standby - target.warming]
        assert len(standby) == min(count, len(disks) - 1 - len(warming))
        if not warming:
            apart = {told[name].host for name in (*active, *standby)}
            assert len(apart) == min(len(hosts), 1 + count)


@given(st.data(), worlds, st.integers(1, 3))
def test_assign_standbys_have_as_many_values_of_the_first_tag_as_there_are(
    data: st.DataObject, world: TaskUniverse, count: int
) -> None:
    members = data.draw(candidates(world))
    targets = assign(world, members, AssignmentRules(standby_replicas=count, spread_tags=("zone", "cluster")))
    told = {member.member_id: member.subscription for member in members}
    disks = {(each.host, each.state_dir) for each in told.values()}
    zones = {each.tags["zone"] for each in told.values()}
    for task in world.stateful:
        copies = [name for name, target in targets.items() if task in target.active | target.standby]
        assert len(copies) >= min(1 + count, len(disks))
        if not any(task in target.warming for target in targets.values()):
            assert len({told[name].tags["zone"] for name in copies}) == min(len(zones), 1 + count)


@given(st.data(), worlds)
def test_assign_standby_is_where_as_many_tags_differ_from_the_active_as_can(
    data: st.DataObject, world: TaskUniverse
) -> None:
    """The first tag before the second, and another host before the same."""
    names = ("zone", "cluster")
    members = data.draw(candidates(world))
    targets = assign(world, members, AssignmentRules(standby_replicas=1, spread_tags=names))
    told = {member.member_id: member.subscription for member in members}
    for task in world.stateful:
        [active] = (told[name] for name, target in targets.items() if task in target.active)
        standbys = [told[name] for name, target in targets.items() if task in target.standby]
        if any(task in target.warming for target in targets.values()) or not standbys:
            continue

        def distance(other: Subscription, active: Subscription = active) -> tuple[bool, ...]:
            return (*(other.tags[name] != active.tags[name] for name in names), other.host != active.host)

        [standby] = standbys
        own = active.host, active.state_dir
        assert distance(standby) == max(distance(each) for each in told.values() if (each.host, each.state_dir) != own)


def test_assign_tags_of_one_zone_that_is_full_of_copies_leave_the_others_to_the_hosts() -> None:
    """Three copies in two zones: the third goes to another host of either."""
    places = {"a": "x", "b": "x", "c": "y", "d": "y"}
    members = [candidate(name, tags={"zone": zone}) for name, zone in places.items()]
    targets = assign(universe(1, stateful=[0]), members, AssignmentRules(standby_replicas=2, spread_tags=("zone",)))
    copies = sorted(name for name, target in targets.items() if target.active | target.standby)
    assert len(copies) == 3
    assert {places[name] for name in copies} == {"x", "y"}


def test_assign_standby_that_shares_the_zone_moves_when_another_zone_has_a_worker() -> None:
    world, chosen = universe(2, stateful=[0]), AssignmentRules(standby_replicas=1, spread_tags=("zone",))
    _, members = rounds(world, [candidate(name, tags={"zone": "x"}) for name in "ab"], chosen)
    _, members = rounds(world, [*members, candidate("c", tags={"zone": "y"})], chosen)
    zones = {"a": "x", "b": "x", "c": "y"}
    for task in world.tasks:
        copies = [
            zones[member.member_id]
            for member in members
            if task in member.subscription.held | member.subscription.standbys
        ]
        assert sorted(copies) == ["x", "y"]


@given(worlds, st.integers(2, 6), st.integers(1, 2))
def test_assign_fresh_group_spreads_standbys_evenly(world: TaskUniverse, size: int, count: int) -> None:
    members = [candidate(name) for name in "abcdef"[:size]]
    targets = assign(world, members, AssignmentRules(standby_replicas=count))
    loads = [len(target.standby - target.warming) for target in targets.values()]
    assert max(loads) - min(loads) <= 1 + count


def feed(world: TaskUniverse, member: Candidate, target: Target, shares: Mapping[str, object]) -> Candidate:
    """The member when it joins again: everything closed that was to be closed, every replica caught up."""
    share = shares[member.member_id]
    lags = dict.fromkeys(share.standbys | (share.tasks & world.stateful), 0)  # type: ignore[attr-defined]
    told = replace(
        member.subscription,
        held=share.tasks,  # type: ignore[attr-defined]
        leaving=frozenset(),
        standbys=share.standbys,  # type: ignore[attr-defined]
        lags={**member.subscription.lags, **lags},
        generation=5,
    )
    return replace(member, subscription=told)


def rounds(world: TaskUniverse, members: list[Candidate], chosen: AssignmentRules) -> tuple[int, list[Candidate]]:
    """How many rebalances change anything, and the members afterwards."""
    for number in range(200):
        targets = assign(world, members, chosen)
        shares = handover(targets, members)
        for member in members:
            for other in members:
                if other is not member:
                    started = shares[member.member_id].tasks - member.subscription.held
                    assert not started & other.subscription.claimed, "started while another claims it"
        after = [feed(world, member, targets[member.member_id], shares) for member in members]
        same = all(
            a.subscription.held == b.subscription.held and a.subscription.standbys == b.subscription.standbys
            for a, b in zip(after, members, strict=True)
        )
        if same and not any(share.withdrawn for share in shares.values()):
            return number, after
        members = after
    raise AssertionError("still moving")


@given(st.data(), worlds, rules)
def test_assign_repeated_through_handovers_converges_to_balance(
    data: st.DataObject, world: TaskUniverse, chosen: AssignmentRules
) -> None:
    members = data.draw(candidates(world))
    _, after = rounds(world, members, chosen)
    owned = {member.member_id: member.subscription.held for member in after}
    check_balanced(world, owned)
    targets = assign(world, after, chosen)
    check_sound(world, after, targets)
    assert not any(target.warming for target in targets.values())


@given(universes, st.integers(1, 5), st.integers(0, 2))
def test_assign_join_without_much_state_converges_in_two_rounds(world: TaskUniverse, size: int, standbys: int) -> None:
    """One to withdraw, one to hand over; with standbys one more, in which the places of the replicas settle."""
    chosen = AssignmentRules(standby_replicas=standbys)
    _, members = rounds(world, [candidate(name) for name in "abcde"[:size]], chosen)
    needed, _ = rounds(world, [*members, candidate("f")], chosen)
    assert needed <= 2 + (standbys > 0)


@given(universes, st.integers(2, 6), st.integers(1, 2))
def test_assign_owner_gone_its_tasks_start_where_they_are_warm(world: TaskUniverse, size: int, standbys: int) -> None:
    """With a standby of each task nothing has to be restored, whoever goes."""
    world, chosen = with_backlog(world, None), AssignmentRules(standby_replicas=standbys)
    _, members = rounds(world, [candidate(name) for name in "abcdef"[:size]], chosen)
    gone, *rest = members
    targets = assign(world, rest, chosen)
    for member in rest:
        started = targets[member.member_id].active - member.subscription.held
        assert started & world.stateful <= member.subscription.standbys
    assert gone.subscription.held <= {task for target in targets.values() for task in target.active}


def test_assign_newcomer_without_state_is_warmed_up_first() -> None:
    world = universe(4, stateful=[0], backlog=FAR)
    members = [candidate("a", world.tasks), candidate("b")]
    targets = assign(world, members, RULES)
    assert targets["a"].active == frozenset(world.tasks)
    assert targets["b"] == Target(standby=tasks("0_2", "0_3"), warming=tasks("0_2", "0_3"))


def test_assign_warm_newcomer_gets_the_task_and_the_next_one_is_warmed_up() -> None:
    world = universe(4, stateful=[0], backlog=FAR)
    lags = {TaskId(0, 2): RULES.acceptable_lag, TaskId(0, 3): RULES.acceptable_lag + 1}
    members = [candidate("a", world.tasks), candidate("b", standbys=tasks("0_2", "0_3"), lags=lags)]
    targets = assign(world, members, RULES)
    assert targets["a"].active == tasks("0_0", "0_1", "0_3")
    assert targets["b"] == Target(active=tasks("0_2"), standby=tasks("0_3"), warming=tasks("0_3"))


def test_assign_more_moves_than_warm_ups_those_begun_go_on() -> None:
    world = universe(8, stateful=[0], backlog=FAR)
    chosen = AssignmentRules(warmup_replicas=1)
    members = [candidate("a", world.tasks), candidate("b", standbys=tasks("0_6"), lags={TaskId(0, 6): 20_000})]
    assert assign(world, members, chosen)["b"].warming == tasks("0_6")


@pytest.mark.parametrize(("backlog", "moves_at_once"), [(10_000, True), (10_001, False), (None, False)])
def test_assign_little_state_needs_no_warm_up(backlog: int | None, moves_at_once: bool) -> None:
    world = universe(2, stateful=[0], backlog=backlog)
    targets = assign(world, [candidate("a", world.tasks), candidate("b")], RULES)
    assert (len(targets["b"].active) == 1) is moves_at_once
    assert (targets["b"].warming == frozenset()) is moves_at_once


def test_assign_stateless_tasks_move_at_once() -> None:
    world = universe(2, backlog=None)
    targets = assign(world, [candidate("a", world.tasks), candidate("b")], RULES)
    assert targets["b"] == Target(active=tasks("0_1"))


def test_assign_ownerless_task_runs_where_it_is_warm_until_its_place_is_too() -> None:
    """More than its share is at the one with the state; better that than to wait for a restore."""
    world = universe(2, stateful=[0], backlog=FAR)
    members = [candidate("a"), candidate("b", lags={TaskId(0, 0): 0, TaskId(0, 1): 5})]
    targets = assign(world, members, RULES)
    assert targets["b"].active == tasks("0_0", "0_1")
    assert targets["a"].warming == tasks("0_1")


def test_assign_task_that_moves_leaves_a_standby_where_it_was() -> None:
    world = universe(2, stateful=[0])
    members = [candidate("a", world.tasks), candidate("b"), candidate("c")]
    targets = assign(world, members, AssignmentRules(standby_replicas=1))
    moved = next(task for task in targets["b"].active | targets["c"].active)
    assert moved in targets["a"].standby


def test_assign_processes_of_one_state_directory_have_no_standbys_of_each_other() -> None:
    world = universe(2, stateful=[0])
    members = [candidate("a", host="h"), candidate("b", host="h")]
    targets = assign(world, members, AssignmentRules(standby_replicas=1))
    assert not targets["a"].standby | targets["b"].standby


def test_assign_without_members_raises() -> None:
    with pytest.raises(ValueError, match="without members"):
        assign(universe(1), [], RULES)
