"""What time and replacement do to a group, on the wire: the same on Apache Kafka."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from kio.schema.errors import ErrorCode

from tests.broker.groups.waits import wait_until
from tests.broker.groups.wire import WireClient

JOIN, HEARTBEAT, SYNC, DESCRIBE = 11, 12, 14, 15


class WireMember:
    """One member on a connection of its own, speaking a protocol type that no broker looks into."""

    def __init__(self, servers: str, group: str, version: int = 5, **options: Any) -> None:
        self.client = WireClient(servers)
        self.group, self.version, self.options = group, version, options
        self.member_id = ""
        self.joined: Any = None

    def ask_to_join(self, metadata: bytes = b"m", session: float = 10, rebalance: float = 10) -> None:
        """Sends a JoinGroup, with the id if one is known; `wait_for_join` reads the answer."""
        self.fields = {
            "group_id": self.group,
            "session_timeout": timedelta(seconds=session),
            "rebalance_timeout": timedelta(seconds=rebalance),
            "protocol_type": "opaque",
            "protocols": [{"name": "mine", "metadata": metadata}],
            **self.options,
        }
        if not self.member_id and "group_instance_id" not in self.options:
            self.member_id = self.client.ask(JOIN, self.version, member_id="", **self.fields).member_id
        self.client.send(JOIN, self.version, member_id=self.member_id, **self.fields)

    def wait_for_join(self) -> Any:
        self.joined = self.client.receive(JOIN, self.version)
        self.member_id = self.joined.member_id
        return self.joined

    def join(self, **options: Any) -> Any:
        self.ask_to_join(**options)
        return self.wait_for_join()

    @property
    def identity(self) -> dict[str, Any]:
        return {
            "group_id": self.group,
            "member_id": self.member_id,
            "group_instance_id": self.options.get("group_instance_id"),
            "generation_id": self.joined.generation_id,
        }

    def sync(self, **assignments: bytes) -> Any:
        lines = [{"member_id": member_id, "assignment": part} for member_id, part in assignments.items()]
        return self.client.ask(SYNC, 3, **self.identity, assignments=lines)

    def lead(self) -> Any:
        """Syncs with each member's id as its assignment."""
        assert self.joined.leader == self.member_id
        return self.sync(**{member.member_id: member.member_id.encode() for member in self.joined.members})

    def beat(self) -> ErrorCode:
        return self.client.ask(HEARTBEAT, 3, **self.identity).error_code

    def describe(self) -> Any:
        return self.client.ask(DESCRIBE, 5, groups=[self.group]).groups[0]


@pytest.fixture
def connect(servers: str, group: str) -> Iterator[Any]:
    """Makes members of the test's group; their connections are closed at its end."""
    with ExitStack() as connections:

        def make(version: int = 5, **options: Any) -> WireMember:
            member = WireMember(servers, group, version, **options)
            connections.enter_context(member.client)
            return member

        yield make


def pair(first: WireMember, second: WireMember, **options: Any) -> None:
    """Brings two members into one stable generation, led by the first."""
    first.join(**options)
    first.lead()
    second.ask_to_join(**options)
    wait_until(lambda: first.beat() is ErrorCode.rebalance_in_progress, "the rebalance begins")
    first.join(**options)
    second.wait_for_join()
    assert first.joined.generation_id == second.joined.generation_id
    first.lead()
    assert second.sync().assignment == second.member_id.encode()


def test_silent_member_is_gone_after_its_session(connect: Any) -> None:
    """It neither beats nor leaves; the group is empty when its session has ended."""
    member = connect()
    member.join(session=1.5)
    member.lead()
    wait_until(lambda: member.describe().group_state == "Empty", "the session ends", seconds=5)
    assert member.beat() is ErrorCode.unknown_member_id


def test_late_member_is_out_after_the_rebalance_timeout(connect: Any) -> None:
    """It goes on beating instead of joining again: the others get their generation without it."""
    first, late, third = connect(), connect(), connect()
    pair(first, late, rebalance=1)
    third.ask_to_join(rebalance=1)
    wait_until(lambda: first.beat() is ErrorCode.rebalance_in_progress, "the rebalance begins")
    assert late.beat() is ErrorCode.rebalance_in_progress
    first.join(rebalance=1)
    third.wait_for_join()
    assert len(first.joined.members) == 2
    assert late.beat() is ErrorCode.unknown_member_id


def test_member_that_never_syncs_is_out(connect: Any) -> None:
    """It took part in the join phase, and is not heard of again before the sync timeout."""
    first, second = connect(), connect()
    pair(first, second, rebalance=1)
    second.ask_to_join(metadata=b"news", rebalance=1)
    wait_until(lambda: first.beat() is ErrorCode.rebalance_in_progress, "the rebalance begins")
    first.join(rebalance=1)
    second.wait_for_join()
    first.lead()
    wait_until(lambda: first.beat() is ErrorCode.rebalance_in_progress, "the sync timeout", seconds=5)
    first.join(rebalance=1)
    assert [member.member_id for member in first.joined.members] == [first.member_id]


@pytest.mark.parametrize("version", [5, 9])
def test_static_member_with_new_metadata_takes_over_without_a_rebalance(connect: Any, version: int) -> None:
    """The vote for the protocol does not change, so nothing moves; the predecessor is fenced."""
    first, second = connect(version, group_instance_id="i"), connect(version, group_instance_id="j")
    pair(first, second)
    successor = connect(version, group_instance_id="j")
    successor.join(metadata=b"news")
    assert successor.joined.generation_id == first.joined.generation_id
    assert successor.joined.leader == first.member_id
    assert successor.joined.members == ()
    assert successor.sync().assignment == second.member_id.encode()
    assert first.beat() is ErrorCode.none
    assert second.beat() is ErrorCode.fenced_instance_id


def test_static_leader_taken_over_before_v9_is_told_of_the_old_id(connect: Any) -> None:
    """So it does not assign anew."""
    first, second = connect(group_instance_id="i"), connect(group_instance_id="j")
    pair(first, second)
    successor = connect(group_instance_id="i")
    successor.join()
    assert (successor.joined.leader, successor.joined.members) == (first.member_id, ())
    assert second.beat() is ErrorCode.none


def test_static_leader_taken_over_from_v9_skips_the_assignment(connect: Any) -> None:
    """KIP-814: it knows that it leads, and whom."""
    first, second = connect(9, group_instance_id="i"), connect(9, group_instance_id="j")
    pair(first, second)
    successor = connect(9, group_instance_id="i")
    successor.join()
    assert successor.joined.skip_assignment
    assert successor.joined.leader == successor.member_id
    assert {member.group_instance_id for member in successor.joined.members} == {"i", "j"}
    assert second.beat() is ErrorCode.none


def test_follower_that_rejoins_unchanged_gets_the_same_generation(connect: Any) -> None:
    """And a leader that does causes a rebalance."""
    first, second = connect(), connect()
    pair(first, second)
    generation = second.joined.generation_id
    assert second.join().generation_id == generation
    assert second.joined.members == ()
    assert second.sync().assignment == second.member_id.encode()
    first.ask_to_join()
    wait_until(lambda: second.beat() is ErrorCode.rebalance_in_progress, "the rebalance begins")
    second.join()
    first.wait_for_join()
    assert first.joined.generation_id == generation + 1
