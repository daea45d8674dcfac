"""Members, workers and a coordinator together, on a virtual clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from kio.schema.errors import ErrorCode

from streams.runtime.membership.effects import (
    Answered,
    Compute,
    Computed,
    ComputeFailed,
    Deliver,
    Disconnect,
    Effect,
    Finish,
    Locate,
    Located,
    RebalanceWanted,
    Reported,
    Send,
    SetTimer,
    Start,
    Stop,
    TimerFired,
    Unreachable,
)
from streams.runtime.membership.errors import InstanceFencedError, MembershipError
from streams.runtime.membership.events import Assigned, Failed, Lost, Revoked
from streams.runtime.membership.member import Member, State
from streams.runtime.membership.options import MemberOptions
from streams.runtime.membership.rules import AssignmentRules
from streams.runtime.membership.user_data import decode_subscription
from streams.wire.address import Address
from streams.wire.errors import AuthenticationError, ConnectionFailedError
from streams.wire.requests import Beaten, Heartbeat, Joined, JoinedMember, JoinGroup, LeaveGroup, Synced, SyncGroup
from tests.streams.examples import examples
from tests.streams.membership.simulation import Simulation, Worker
from tests.streams.membership.universes import tasks, universe


def check_settled(world: Simulation) -> None:
    """Everybody has its share and nothing is moving."""
    assert world.owned() == list(world.universe.tasks)
    sizes = [len(worker.running) for worker in world.live]
    assert max(sizes) - min(sizes) <= 1
    assert all(worker.member.state is State.STABLE and not worker.closing for worker in world.live)
    generations = {worker.member.identity.generation for worker in world.live}
    assert generations == {world.coordinator.generation}


# -- whole groups -----------------------------------------------------------------------------------------------------


def test_group_of_one_gets_all_tasks() -> None:
    world = Simulation(universe(4, 2))
    worker = world.spawn()
    world.run(1)
    assert worker.events == [Assigned(frozenset(world.universe.tasks), 1)]


def test_group_second_member_joins_only_moved_tasks_stop() -> None:
    world = Simulation(universe(4, 4))
    first = world.spawn()
    world.run(1)
    second = world.spawn()
    world.run(10)
    check_settled(world)
    revoked = [event for event in first.events if isinstance(event, Revoked)]
    assert [event.tasks for event in revoked] == [frozenset(second.running)]
    assert world.coordinator.rebalances == 3
    assert first.taken == 8
    assert second.taken == 4


def test_group_slow_release_lets_nobody_else_in() -> None:
    """A third member joins while the first is still closing what goes to the second."""
    world = Simulation(universe(6))
    first = world.spawn()
    world.run(1)
    first.release_delay = 30.0
    world.spawn()
    world.run(5)
    third = world.spawn()
    world.run(10)
    assert first.closing
    assert not third.running & first.closing
    world.run(60)
    check_settled(world)


def test_group_member_leaves_its_tasks_go_on_elsewhere_at_once() -> None:
    world = Simulation(universe(6))
    first, second = world.spawn(), world.spawn()
    world.run(5)
    second.stop()
    world.run(2)
    assert world.live == [first]
    check_settled(world)


def test_group_member_dies_its_tasks_move_after_the_session() -> None:
    world = Simulation(universe(6))
    first, second = world.spawn(), world.spawn()
    world.run(5)
    second.kill()
    world.run(5)
    assert len(first.running) == 3
    world.run(10)
    check_settled(world)


def test_group_leader_dies_another_leads() -> None:
    world = Simulation(universe(6))
    workers = [world.spawn(), world.spawn()]
    world.run(5)
    (leader,) = [w for w in workers if w.member.identity.member_id == world.coordinator.leader]
    leader.kill()
    world.run(20)
    check_settled(world)


@pytest.mark.parametrize("which", [0, 1])
def test_group_static_member_replaced_takes_its_tasks_without_rebalance(which: int) -> None:
    world = Simulation(universe(6))
    workers = [world.spawn(instance_id="slot-0"), world.spawn(instance_id="slot-1")]
    world.run(5)
    rebalances, had = world.coordinator.rebalances, set(workers[which].running)
    workers[which].kill()
    successor = world.spawn(instance_id=f"slot-{which}")
    world.run(3)
    assert successor.running == had
    assert world.coordinator.rebalances == rebalances
    assert workers[1 - which].member.state is State.STABLE


def test_group_static_member_with_another_endpoint_makes_itself_known() -> None:
    world = Simulation(universe(2))
    other = world.spawn(instance_id="slot-0", options={"endpoint": "h:1"})
    old = world.spawn(instance_id="slot-1", options={"endpoint": "h:2"})
    world.run(5)
    old.kill()
    world.spawn(instance_id="slot-1", options={"endpoint": "h:3"})
    world.run(3)
    assert [view.endpoint for view in other.member.view] == ["h:1", "h:3"]
    check_settled(world)


def test_group_static_member_dies_while_it_releases_the_handover_is_finished() -> None:
    """The successor has nothing to release, but must tell the group so."""
    world = Simulation(universe(4))
    first = world.spawn(instance_id="slot-0")
    world.run(1)
    first.release_delay = 1e6
    second = world.spawn(instance_id="slot-1")
    world.run(3)
    assert first.closing
    first.kill()
    world.spawn(instance_id="slot-0")
    world.run(5)
    check_settled(world)
    assert len(second.running) == 2


def test_group_static_member_taken_over_alive_the_old_one_is_fenced() -> None:
    world = Simulation(universe(4))
    old = world.spawn(instance_id="slot-0")
    world.run(3)
    successor = world.spawn(instance_id="slot-0")
    world.run(3)
    assert [type(event) for event in old.events] == [Assigned, Lost, Failed]
    assert isinstance(old.events[-1], Failed)
    assert isinstance(old.events[-1].error, InstanceFencedError)
    assert not old.alive
    assert successor.running == set(world.universe.tasks)


def test_group_connection_lost_tasks_run_on() -> None:
    world = Simulation(universe(4))
    worker = world.spawn()
    world.run(3)
    worker.disconnect()
    world.run(3)
    assert worker.events == [Assigned(frozenset(world.universe.tasks), 1)]
    assert world.coordinator.rebalances == 1


def test_group_member_silent_beyond_its_session_loses_all_and_comes_back() -> None:
    world = Simulation(universe(4))
    worker = world.spawn()
    world.run(3)
    world.coordinator.members.clear()
    world.coordinator.state = "empty"
    world.coordinator.leader = ""
    world.run(3)
    assert [type(event) for event in worker.events] == [Assigned, Lost, Assigned]
    check_settled(world)


def on_host(name: str, *, standbys: int = 0) -> dict[str, Any]:
    return {"host": name, "state_dir": "state", "rules": AssignmentRules(standby_replicas=standbys)}


def test_group_member_dies_its_tasks_start_where_they_stood_by() -> None:
    world = Simulation(universe(6, stateful=[0], backlog=1_000_000))
    first, *others = [world.spawn(options=on_host(name, standbys=1)) for name in "abc"]
    world.run(20)
    check_settled(world)
    assert sum(len(worker.standbys) for worker in world.live) == 6
    assert not any(worker.active & worker.standbys for worker in world.live)
    for worker in others:
        worker.cold.clear()
    first.kill()
    world.run(30)
    check_settled(world)
    assert not any(worker.cold for worker in others)
    assert sum(len(worker.standbys) for worker in world.live) == 6


def test_group_newcomer_gets_tasks_only_when_it_is_warm() -> None:
    world = Simulation(universe(6, stateful=[0], backlog=1_000_000))
    world.spawn(options=on_host("a"))
    world.run(5)
    newcomer = world.spawn(options=on_host("b"))
    world.run(30)
    check_settled(world)
    assert len(newcomer.active) == 3
    assert not newcomer.cold
    assert not newcomer.standbys


def test_group_member_leaves_while_a_replica_is_warmed_up_there_the_tasks_stay() -> None:
    world = Simulation(universe(4, stateful=[0], backlog=1_000_000))
    first = world.spawn(options=on_host("a"))
    world.run(5)
    newcomer = world.spawn(options=on_host("b"))
    newcomer.feed_delay = 60
    world.run(10)
    assert newcomer.standbys
    assert len(first.active) == 4
    newcomer.stop()
    world.run(10)
    check_settled(world)
    assert first.taken == 4


def test_group_more_members_than_tasks_the_spare_ones_idle() -> None:
    world = Simulation(universe(2))
    for _ in range(4):
        world.spawn()
    world.run(10)
    check_settled(world)


def test_group_tasks_added_are_found_by_a_wanted_rebalance() -> None:
    world = Simulation(universe(2))
    first, second = world.spawn(), world.spawn()
    world.run(5)
    world.universe = universe(4)
    second.happen(RebalanceWanted("a topic has grown"))
    world.run(5)
    check_settled(world)
    assert len(first.running) == 2


ACTIONS: dict[str, Callable[[Simulation, Worker], object]] = {
    "kill": lambda world, worker: worker.kill(),
    "leave": lambda world, worker: worker.stop(),
    "silent stop": lambda world, worker: worker.stop(leave=False),
    "disconnect": lambda world, worker: worker.disconnect(),
    "slow": lambda world, worker: setattr(worker, "release_delay", 5.0),
    "rebalance": lambda world, worker: worker.happen(RebalanceWanted("just so")),
}
steps = st.lists(
    st.tuples(
        st.sampled_from(["spawn", "spawn", "spawn static", "grow", *ACTIONS]),
        st.integers(0, 5),
        st.sampled_from([0.0, 0.003, 0.02, 0.2, 1.5, 6.0, 12.0]),
    ),
    max_size=14,
)


@examples(60)
@example(
    [
        ("kill", 0, 0.0),
        ("spawn static", 2, 0.2),
        *[("spawn", 0, 0.0)] * 5,
        ("kill", 1, 0.0),
        ("spawn static", 2, 0.2),
        ("grow", 0, 0.0),
    ],
    0,
)
@given(steps, st.integers(0, 2**32))
def test_group_whatever_happens_no_task_has_two_owners_and_it_settles(
    happenings: list[tuple[str, int, float]], seed: int
) -> None:
    """`Simulation.run` checks after every event that no task runs in two members of the group."""
    world = Simulation(universe(3, 4, stateful=[1]), seed=seed)
    world.spawn()
    for action, number, pause in happenings:
        if action == "spawn" and len(world.live) < 6:
            world.spawn()
        elif action == "spawn static" and len(world.live) < 6:
            world.spawn(instance_id=f"slot-{number % 3}")
        elif action == "grow":
            world.universe = universe(3, 5, 2, stateful=[1])
            if world.live:
                world.live[0].happen(RebalanceWanted("the topology has grown"))
        elif action in ACTIONS and world.live:
            ACTIONS[action](world, world.live[number % len(world.live)])
        world.run(pause)
    world.run(15)
    if not world.live:
        world.spawn()
    # Whoever was told that the topology has grown may have died of something else since.
    world.live[0].happen(RebalanceWanted("the topology may have grown"))
    world.run(120)
    check_settled(world)
    rebalances = world.coordinator.rebalances
    world.run(60)
    assert world.coordinator.rebalances == rebalances, "a settled group stays so"


# -- one member, step by step ----------------------------------------------------------------------------------------

OPTIONS = MemberOptions(group_id="g", topics=("in",), heartbeat_interval_ms=1_000, backoff_ms=100)
UNREACHABLE = Unreachable(ConnectionFailedError(Address("test", 1), "gone"))


def new_member(options: MemberOptions = OPTIONS) -> Member:
    return Member(options, random=lambda: 1.0)


def sent(effects: list[Effect]) -> list[object]:
    return [effect.request for effect in effects if isinstance(effect, Send)]


def joining_member() -> Member:
    member = new_member()
    member.step(Start(), 0.0)
    member.step(Located(), 0.0)
    return member


def assigning_member() -> tuple[Member, Compute]:
    member = joining_member()
    (join,) = sent(member.step(Answered(Joined(error=ErrorCode.member_id_required, member_id="m")), 0.0))
    assert isinstance(join, JoinGroup)
    roster = (JoinedMember(member_id="m", instance_id=None, metadata=join.metadata),)
    effects = member.step(
        Answered(Joined(error=ErrorCode.none, generation=1, leader="m", member_id="m", members=roster)), 0.0
    )
    (compute,) = [effect for effect in effects if isinstance(effect, Compute)]
    return member, compute


def test_member_start_locates_then_joins_for_an_id_then_with_it() -> None:
    member = new_member()
    assert member.step(Start(), 0.0) == [Locate()]
    (first,) = sent(member.step(Located(), 0.0))
    assert isinstance(first, JoinGroup)
    assert first.member_id == ""
    (second,) = sent(member.step(Answered(Joined(error=ErrorCode.member_id_required, member_id="m-7")), 0.0))
    assert isinstance(second, JoinGroup)
    assert second.member_id == "m-7"


def test_member_unreachable_coordinator_waits_longer_each_time() -> None:
    member = new_member()
    member.step(Start(), 0.0)
    waits: list[float] = []
    now = 0.0
    for _ in range(6):
        (timer,) = [e.at for e in member.step(UNREACHABLE, now) if isinstance(e, SetTimer)]
        assert timer is not None
        waits.append(round(timer - now, 3))
        now = timer
        assert Locate() in member.step(TimerFired(), now)
    assert waits == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]


def test_member_refused_password_fails_at_once() -> None:
    member = new_member()
    member.step(Start(), 0.0)
    error = AuthenticationError("wrong password")
    effects = member.step(Unreachable(error), 0.0)
    assert Deliver(Failed(error)) in effects
    assert effects[-1] == Finish()


def test_member_leading_beats_while_assignments_are_computed() -> None:
    member, _ = assigning_member()
    assert sent(member.step(TimerFired(), 0.5)) == []
    (beat,) = sent(member.step(TimerFired(), 1.0))
    assert isinstance(beat, Heartbeat)


def test_member_overtakes_a_heartbeat_whose_answer_then_counts_for_nothing() -> None:
    """The broker may sit on it until there is news; what the member wants to say does not wait for that."""
    member, compute = assigning_member()
    member.step(TimerFired(), 1.0)
    (sync,) = sent(member.step(Computed(compute.generation, {"m": b""}), 1.1))
    assert isinstance(sync, SyncGroup)
    assert sent(member.step(Answered(Beaten(error=ErrorCode.rebalance_in_progress)), 1.2)) == []
    assert member.state is State.SYNCING
    (join,) = sent(member.step(Answered(Synced(error=ErrorCode.rebalance_in_progress, assignment=b"")), 1.3))
    assert isinstance(join, JoinGroup)


def test_member_leading_group_moves_on_drops_the_computation() -> None:
    member, compute = assigning_member()
    member.step(TimerFired(), 1.0)
    (join,) = sent(member.step(Answered(Beaten(error=ErrorCode.rebalance_in_progress)), 1.0))
    assert isinstance(join, JoinGroup)
    assert sent(member.step(ComputeFailed(compute.generation, MembershipError("late")), 1.1)) == []


def test_member_leading_computation_fails_for_good_fails_and_leaves() -> None:
    member, compute = assigning_member()
    error = MembershipError("no such topic")
    effects = member.step(ComputeFailed(compute.generation, error), 0.5)
    assert Deliver(Failed(error)) in effects
    (leave,) = sent(effects)
    assert isinstance(leave, LeaveGroup)


def test_member_leading_computation_fails_for_now_joins_again() -> None:
    member, compute = assigning_member()
    error = ConnectionFailedError(Address("test", 1), "gone")
    effects = member.step(ComputeFailed(compute.generation, error), 0.5)
    assert not any(isinstance(effect, Deliver) for effect in effects)
    member.step(TimerFired(), 5.0)
    (join,) = sent(member.step(Located(), 5.0))
    assert isinstance(join, JoinGroup)


@pytest.mark.parametrize(
    "code", [ErrorCode.not_coordinator, ErrorCode.coordinator_load_in_progress, ErrorCode.coordinator_not_available]
)
def test_member_coordinator_moved_reconnects_and_repeats(code: ErrorCode) -> None:
    member = joining_member()
    effects = member.step(Answered(Joined(error=code)), 0.0)
    assert Disconnect() in effects
    assert member.step(TimerFired(), 0.1)[0] == Locate()
    (join,) = sent(member.step(Located(), 0.1))
    assert isinstance(join, JoinGroup)


def test_member_no_answer_in_time_reconnects() -> None:
    member = joining_member()
    effects = member.step(TimerFired(), 71.0)
    assert Disconnect() in effects


def test_member_other_protocol_in_the_group_fails_with_the_cure() -> None:
    member = joining_member()
    effects = member.step(Answered(Joined(error=ErrorCode.inconsistent_group_protocol)), 0.0)
    (failed,) = [effect.event for effect in effects if isinstance(effect, Deliver)]
    assert isinstance(failed, Failed)
    assert "another application id" in str(failed.error)


def test_member_stop_during_join_reconnects_to_leave() -> None:
    member, _ = assigning_member()
    member.step(TimerFired(), 1.0)
    member.step(Answered(Beaten(error=ErrorCode.rebalance_in_progress)), 1.0)
    effects = member.step(Stop(leave=True), 1.1)
    assert [type(e) for e in effects if not isinstance(e, SetTimer)] == [Disconnect, Locate]
    (leave,) = sent(member.step(Located(), 1.2))
    assert isinstance(leave, LeaveGroup)
    assert leave.member_id == "m"


def test_member_stop_without_leaving_ends_silently() -> None:
    member, _ = assigning_member()
    effects = member.step(Stop(leave=False), 1.0)
    assert sent(effects) == []
    assert effects[-1] == Finish()
    assert member.step(Located(), 2.0) == []


def test_member_reported_lags_are_told_when_it_joins_next() -> None:
    member = new_member()
    lags = dict.fromkeys(tasks("0_1", "1_0"), 17)
    member.step(Reported(lags), 0.0)
    member.step(Start(), 0.0)
    (join,) = sent(member.step(Located(), 0.0))
    assert isinstance(join, JoinGroup)
    assert decode_subscription(join.metadata, sender="m").lags == lags


def test_member_empty_assignment_joins_again_instead_of_failing() -> None:
    member = joining_member()
    member.step(Answered(Joined(error=ErrorCode.none, generation=1, leader="x", member_id="m")), 0.0)
    effects = member.step(Answered(Synced(error=ErrorCode.none, assignment=b"")), 0.0)
    assert not any(isinstance(effect, Deliver) for effect in effects)
    assert member.state is State.JOINING


def test_member_follower_syncs_with_nothing() -> None:
    member = joining_member()
    (sync,) = sent(member.step(Answered(Joined(error=ErrorCode.none, generation=1, leader="x", member_id="m")), 0.0))
    assert isinstance(sync, SyncGroup)
    assert sync.assignments == {}
