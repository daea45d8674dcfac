"""Clients of both protocols in one group, in any order: no partition has two owners, and in the end all have one."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st
from kio.schema.errors import ErrorCode

from broker.consumer_groups import classic_member
from broker.consumer_groups.requests import GroupRefusedError
from broker.groups.consumer_protocol import parse_assignment
from broker.groups.member import Protocol
from broker.groups.requests import JoinRequest, MemberIdentity, SyncRequest
from tests.broker.consumer_groups.machine import ConsumerGroupMachine

Owned = frozenset[tuple[str, int]]


@dataclass(slots=True)
class ClassicClient:
    """Joins whenever it is told to, with what it owns if it is `cooperative`, else with nothing."""

    member_id: str
    cooperative: bool
    generation: int = -1
    owned: Owned = frozenset()
    told: Owned = frozenset()

    def turn(self, machine: ConsumerGroupMachine) -> None:
        """One heartbeat, and if that asks for it a join and a sync."""
        group, topics, now_ms = machine.group, machine.topics, machine.now_ms
        try:
            if self.generation >= 0:
                who = MemberIdentity(self.member_id)
                code, effects = classic_member.heartbeat(group, who, self.generation, now_ms)
                machine.apply(effects)
                # A cooperative client that gave something up joins again by itself.
                if code is ErrorCode.none and self.owned == self.told:
                    return
            self.owned = self.owned & self.told if self.cooperative else frozenset()
            result, effects = classic_member.join(group, machine.settings, self.request(), topics, now_ms)
            machine.apply(effects)
            self.generation = result.generation
            sync = SyncRequest(
                group_id="g",
                member_id=self.member_id,
                instance_id=None,
                generation=self.generation,
                protocol_type=None,
                protocol_name=None,
            )
            assignment, effects = classic_member.sync(group, sync, topics, now_ms)
            machine.apply(effects)
        except GroupRefusedError:
            self.generation, self.owned, self.told = -1, frozenset(), frozenset()
            return
        self.told = parse_assignment(assignment) or frozenset()
        self.owned |= self.told

    def request(self) -> JoinRequest:
        lines = b"".join(b"\x00\x01" + t.encode() + b"\x00\x00\x00\x01" + i.to_bytes(4, "big") for t, i in self.owned)
        owned = len(self.owned).to_bytes(4, "big") + lines
        metadata = b"\x00\x01" + b"\x00\x00\x00\x01\x00\x01t" + b"\xff\xff\xff\xff" + owned
        return JoinRequest(
            group_id="g",
            member_id=self.member_id,
            new_member_id=self.member_id,
            instance_id=None,
            client_id="c",
            client_host="/h",
            session_timeout_ms=45_000,
            rebalance_timeout_ms=30_000,
            protocol_type="consumer",
            protocols=(Protocol("range", metadata),),
            requires_known_id=True,
        )


STEPS = st.lists(
    st.sampled_from(
        ["modern-a", "modern-b", "classic-c", "classic-d", "leave-a", "leave-b", "grow", "restart", "tick"]
    ),
    max_size=40,
)


@settings(max_examples=100, deadline=None)
@given(STEPS, st.booleans(), st.booleans())
def test_mixed_group_never_shares_a_partition_and_settles(steps: list[str], first: bool, second: bool) -> None:
    machine = ConsumerGroupMachine(t=5)
    classics = {"c": ClassicClient("c", first), "d": ClassicClient("d", second)}
    machine.join("keeper")
    joined = 0
    for step in steps:
        kind, _, name = step.partition("-")
        topic = machine.topics.by_name["t"]
        if kind == "modern" and name in machine.clients:
            machine.beat(name)
        elif kind == "modern":
            joined += 1
            machine.join(name, id=f"{name}{joined}")
        elif kind == "classic":
            classics[name].turn(machine)
        elif kind == "leave" and name in machine.clients:
            machine.leave(name)
        elif kind == "grow":
            machine.topics.grow("t", topic.partitions + 1)
        elif kind == "restart":
            machine.restart()
        elif kind == "tick":
            machine.advance(9_000)
        check(machine)
    for _ in range(15):
        for client in classics.values():
            client.turn(machine)
        machine.settle(1)
        check(machine)
    assert machine.state == "Stable"
    topic = machine.topics.by_name["t"]
    modern = [index for client in machine.clients.values() for _, index in client.owned]
    classic = [index for client in classics.values() for _, index in client.owned]
    assert sorted(modern + classic) == list(range(topic.partitions))


def check(machine: ConsumerGroupMachine) -> None:
    held = [p for m in machine.group.members.values() for p in m.progress.assigned | m.progress.revoking]
    assert len(held) == len(set(held)) == len(machine.group.owners)
