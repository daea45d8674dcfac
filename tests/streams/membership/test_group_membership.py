"""Real members of a real group on the bundled broker."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer
from confluent_kafka.admin import AdminClient, NewTopic

from broker import Broker
from streams.plan.task_id import TaskId
from streams.runtime.membership import (
    Assigned,
    CommitFailedError,
    CommittedOffset,
    Failed,
    GroupMembership,
    InstanceFencedError,
    Lost,
    MemberOptions,
    Revoked,
    TaskUniverse,
)
from streams.wire import Address, Client, Connection, ConnectionFailedError
from streams.wire.requests import LeaveGroup
from tests.streams.membership.conftest import Listener, wait_for
from tests.streams.membership.universes import universe

Join = Callable[..., Listener]
ALL = frozenset(universe(4).tasks)


def tasks_of(listener: Listener) -> frozenset[TaskId]:
    assigned = listener.heard(Assigned)
    return assigned[-1].tasks if assigned else frozenset()


def release(listener: Listener, number: int = 0) -> frozenset[TaskId]:
    """Waits for the revocation of that number and confirms it."""
    wait_for(lambda: len(listener.heard(Revoked)) > number)
    tasks = listener.heard(Revoked)[number].tasks
    listener.membership.released(tasks)
    return tasks


def create_topic(bootstrap_servers: str, name: str) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap_servers})
    admin.create_topics([NewTopic(name, 4)])[name].result(10)


def two_members(join: Join, **options: str) -> tuple[Listener, Listener]:
    first = join(**{key: f"{value}-1" for key, value in options.items()})
    wait_for(lambda: tasks_of(first) == ALL)
    second = join(**{key: f"{value}-2" for key, value in options.items()})
    moved = release(first)
    wait_for(lambda: tasks_of(second) == moved)
    wait_for(lambda: first.membership.generation_known and second.membership.generation_known)
    wait_for(lambda: first.membership.group_metadata()[7:11] == second.membership.group_metadata()[7:11])
    return first, second


def test_group_second_member_gets_tasks_only_after_their_release(join: Join) -> None:
    first = join()
    wait_for(lambda: tasks_of(first) == ALL)
    second = join()
    wait_for(lambda: first.heard(Revoked))
    wait_for(lambda: second.heard(Assigned))
    (revoked,) = first.heard(Revoked)
    assert len(revoked.tasks) == 2
    assert tasks_of(second) == frozenset()
    assert tasks_of(first) == ALL - revoked.tasks
    first.membership.released(revoked.tasks)
    wait_for(lambda: tasks_of(second) == revoked.tasks)
    assert tasks_of(first) == ALL - revoked.tasks


def test_group_member_leaves_the_other_takes_over(join: Join) -> None:
    first, second = two_members(join)
    second.membership.stop(leave=True)
    wait_for(lambda: tasks_of(first) == ALL)
    assert len(first.heard(Revoked)) == 1


def test_group_member_silent_the_other_takes_over_after_the_session(join: Join) -> None:
    first, second = two_members(join)
    second.membership.stop(leave=False)
    wait_for(lambda: tasks_of(first) == ALL)


def test_group_static_member_back_in_time_has_its_tasks_without_a_rebalance(join: Join) -> None:
    patient = partial(join, session_timeout_ms=30_000)  # however long the machine takes, the successor is in time
    first, second = two_members(patient, instance_id="slot")
    had = second.heard(Assigned)[-1]
    second.membership.stop(leave=False)
    successor = patient(instance_id="slot-2")
    wait_for(lambda: tasks_of(successor) == had.tasks)
    successor.membership.commit({("topic-0", 0): CommittedOffset(1)})
    assert successor.heard(Assigned) == [had]
    assert first.heard(Assigned)[-1].generation == had.generation


def test_group_static_member_taken_over_alive_is_fenced(join: Join) -> None:
    old = join(instance_id="slot")
    wait_for(lambda: tasks_of(old) == ALL)
    successor = join(instance_id="slot")
    wait_for(lambda: tasks_of(successor) == ALL)
    with pytest.raises(CommitFailedError) as caught:
        old.membership.commit({("topic-0", 0): CommittedOffset(1)})
    assert caught.value.fenced
    (failed,) = wait_for(lambda: old.heard(Failed))
    assert isinstance(failed.error, InstanceFencedError)
    assert [type(event) for event in old.events][-2:] == [Lost, Failed]


def test_group_static_member_leaves_for_good_the_other_takes_over_at_once(join: Join) -> None:
    first, second = two_members(join, instance_id="slot")
    second.membership.stop(leave=True)
    wait_for(lambda: tasks_of(first) == ALL)


def test_group_member_thrown_out_loses_all_and_comes_back(join: Join, client: Client, group_id: str) -> None:
    listener = join()
    wait_for(lambda: tasks_of(listener) == ALL)
    member_id = listener.membership.group_metadata()[11:].split(b"\0")[1].decode()
    connection = client.connect_coordinator(group_id)
    connection.call(LeaveGroup(group_id=group_id, member_id=member_id, instance_id=None), timeout_s=5)
    connection.close()
    wait_for(lambda: len(listener.heard(Assigned)) == 2)
    assert [type(event) for event in listener.events] == [Assigned, Lost, Assigned]
    listener.membership.commit({("topic-0", 0): CommittedOffset(1)})


def test_group_commit_before_the_loss_is_known_is_fenced(join: Join, client: Client, group_id: str) -> None:
    """The member has lost its tasks and has been given them again, but its worker has not heard of it yet."""
    listener = join()
    wait_for(lambda: tasks_of(listener) == ALL)
    metadata = listener.membership.group_metadata()
    connection = client.connect_coordinator(group_id)
    member_id = metadata[11:].split(b"\0")[1].decode()
    connection.call(LeaveGroup(group_id=group_id, member_id=member_id, instance_id=None), timeout_s=5)
    connection.close()
    wait_for(lambda: len(listener.membership._events) == 2)  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(CommitFailedError) as caught:
        listener.membership.commit({("topic-0", 0): CommittedOffset(1)})
    assert caught.value.fenced
    assert listener.membership.group_metadata() == metadata
    assert not listener.membership.generation_known


def test_group_commits_go_on_through_rebalances(join: Join) -> None:
    """Commits as fast as they go while members come and go: none is refused, because the task never leaves."""
    first = join()
    wait_for(lambda: tasks_of(first) == ALL)
    halt = threading.Event()
    others: list[Listener] = []

    def come_and_go() -> None:
        try:
            for _ in range(3):
                other = join()
                others.append(other)
                wait_for(lambda other=other: other.heard(Assigned))
                other.membership.stop(leave=True)
        finally:
            halt.set()

    thread = threading.Thread(target=come_and_go)
    thread.start()
    number = 0
    while not halt.is_set():
        number += 1
        first.membership.commit({("topic-0", 0): CommittedOffset(number)})
        for revoked in first.heard(Revoked):
            first.membership.released(revoked.tasks)
    thread.join()
    assert len(others) == 3
    assert first.heard(Assigned)[-1].generation > 3
    assert first.membership.committed([("topic-0", 0)]) == {("topic-0", 0): CommittedOffset(number)}


def test_group_tasks_added_are_assigned_after_rebalance_is_asked_for(join: Join) -> None:
    world: list[TaskUniverse] = [universe(4)]
    first = join(lambda: world[0])
    wait_for(lambda: tasks_of(first) == ALL)
    world[0] = universe(6)
    first.membership.rebalance("topic-0 has grown")
    wait_for(lambda: tasks_of(first) == frozenset(universe(6).tasks))


def test_group_universe_blocks_longer_than_the_session_the_leader_stays(join: Join) -> None:
    hurry = threading.Event()

    def slow() -> TaskUniverse:
        hurry.wait(3.0)
        return universe(4)

    listener = join(slow, session_timeout_ms=1_000)
    wait_for(lambda: tasks_of(listener) == ALL)
    assert listener.heard(Lost) == []
    assert listener.heard(Assigned)[0].generation == 1


def test_group_first_bootstrap_address_is_dead_the_next_one_serves(join: Join, client: Client) -> None:
    absent = Client(bootstrap=(Address("127.0.0.1", 1), *client.bootstrap), client_id="test")
    listener = join(to=absent)
    wait_for(lambda: tasks_of(listener) == ALL)


@pytest.mark.parametrize("end", [Broker.stop, Broker.kill])
def test_group_broker_restarts_tasks_run_on_and_a_commit_waits(
    join: Join, tmp_path: Path, end: Callable[[Broker], object]
) -> None:
    with Broker(data=tmp_path) as broker:
        port = int(broker.bootstrap_servers.rpartition(":")[2])
        client = Client(bootstrap=(Address("127.0.0.1", port),), client_id="test")
        create_topic(broker.bootstrap_servers, "topic-0")
        listener = join(to=client, session_timeout_ms=20_000)
        wait_for(lambda: tasks_of(listener) == ALL)
        end(broker)
        with Broker(data=tmp_path, port=port):
            listener.membership.commit({("topic-0", 0): CommittedOffset(5)})
            wait_for(lambda: listener.membership.generation_known)
            assert [type(event) for event in listener.events] == [Assigned]
            assert listener.membership.committed([("topic-0", 0)]) == {("topic-0", 0): CommittedOffset(5)}
            listener.membership.stop(leave=True)


def test_group_shows_members_and_partitions_to_kafka_tools(join: Join, bootstrap_servers: str, group_id: str) -> None:
    """The assignment is in Kafka's own form, so that any admin client can say who reads what."""
    first, second = two_members(join)
    admin = AdminClient({"bootstrap.servers": bootstrap_servers})
    description = admin.describe_consumer_groups([group_id])[group_id].result(10)
    assert description.partition_assignor == "headrace"
    shown = {
        frozenset(TaskId(0, place.partition) for place in member.assignment.topic_partitions)
        for member in description.members
    }
    assert shown == {tasks_of(first), tasks_of(second)}
    assert {p.topic for m in description.members for p in m.assignment.topic_partitions} == {"topic-0"}


def test_group_views_agree_on_who_has_what(join: Join) -> None:
    first = join(endpoint="a:1", host="a")
    wait_for(lambda: tasks_of(first) == ALL)
    second = join(endpoint="b:2", host="b")
    release(first)
    wait_for(lambda: len(tasks_of(second)) == 2)

    def seen(listener: Listener) -> set[tuple[str | None, frozenset[TaskId]]]:
        return {(view.endpoint, view.tasks) for view in listener.membership.members()}

    expected = {("a:1", tasks_of(first)), ("b:2", tasks_of(second))}
    wait_for(lambda: seen(first) == expected == seen(second))


def test_group_session_timeout_the_broker_forbids_fails_with_the_setting(join: Join) -> None:
    listener = join(session_timeout_ms=1)
    (failed,) = wait_for(lambda: listener.heard(Failed))
    assert "session_timeout_ms=1" in str(failed.error)


def test_group_of_plain_consumers_refuses_workers_with_the_cure(
    join: Join, bootstrap_servers: str, group_id: str
) -> None:
    consumer = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": group_id, "session.timeout.ms": 6000})
    consumer.subscribe(["topic-0"])
    try:
        assigned: list[object] = []
        consumer.subscribe(["topic-0"], on_assign=lambda *_: assigned.append(1))
        wait_for(lambda: consumer.poll(0.05) or assigned)
        listener = join()
        (failed,) = wait_for(lambda: listener.heard(Failed))
        assert "another application id" in str(failed.error)
    finally:
        consumer.close()


def test_group_place_of_a_member_silent_for_a_session_is_not_held(client: Client, group_id: str) -> None:
    """It cannot know whether it was given up; the clock tells it that it may have been."""
    now = [1_000.0]
    options = MemberOptions(group_id=group_id, topics=("topic-0",), session_timeout_ms=6_000)
    membership = GroupMembership(client, options, lambda: universe(3), clock=lambda: now[0])
    assert not membership.place_held
    membership.start()
    try:
        wait_for(membership.poll)
        assert membership.place_held
        now[0] += 5.9
        assert membership.place_held
        membership._clock = lambda: now[0] + 6.1
        assert not membership.place_held
    finally:
        membership.stop(leave=False)


def test_group_member_tells_since_when_the_coordinator_is_out_of_reach_until_it_is_not(
    client: Client, group_id: str
) -> None:
    class Cut:
        """A client whose way to the broker is cut until a test says otherwise."""

        def __init__(self) -> None:
            self.whole = False

        def connect_coordinator(self, key: str) -> Connection:
            if not self.whole:
                raise ConnectionFailedError(Address("test", 1), "cut")
            return client.connect_coordinator(key)

    cut: Any = Cut()
    before = int(time.time() * 1000)
    membership = GroupMembership(cut, MemberOptions(group_id=group_id, topics=("topic-0",)), lambda: universe(3))
    membership.start()
    try:
        since = wait_for(lambda: membership.unreachable_since)
        assert before <= since <= time.time() * 1000
        cut.whole = True
        wait_for(membership.poll)
        assert membership.unreachable_since is None
    finally:
        membership.stop(leave=True)
