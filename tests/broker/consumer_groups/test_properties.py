"""Whatever happens to a consumer group: no partition has two owners, and when all beat, all is given out, evenly."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from kio.schema.errors import ErrorCode

from tests.broker.consumer_groups.machine import ConsumerGroupMachine

NAMES = tuple("abcde")
TOPICS = ("t", "u", "v")
SUBSCRIPTIONS = st.sampled_from(["t", "t,u", "u,v", "v", "t,u,v", ""])
REFUSALS = {
    ErrorCode.none,
    ErrorCode.fenced_member_epoch,
    ErrorCode.unknown_member_id,
    ErrorCode.fenced_instance_id,
    ErrorCode.unreleased_instance_id,
}


class GroupLife(RuleBasedStateMachine):
    """Clients that come, go, fall silent, lose answers, are slow to give up; topics that change; a broker that dies."""

    @initialize(assignor=st.sampled_from([None, "range"]))
    def start(self, assignor: str | None) -> None:
        self.machine = ConsumerGroupMachine(t=4, u=3)
        self.assignor = assignor
        self.joined = 0

    def has_client(self, name: str) -> bool:
        return name in self.machine.clients

    @rule(name=st.sampled_from(NAMES), topics=SUBSCRIPTIONS, static=st.booleans())
    def join(self, name: str, topics: str, static: bool) -> None:
        if not self.has_client(name):
            self.joined += 1
            code = self.machine.join(
                name,
                topics,
                instance=f"i-{name}" if static else None,
                assignor=self.assignor,
                id=f"{name}{self.joined}",
            )
            assert code in REFUSALS

    @rule(name=st.sampled_from(NAMES), how=st.sampled_from(["", "lose", "hold", "quiet"]))
    def beat(self, name: str, how: str) -> None:
        if self.has_client(name):
            assert self.machine.beat(name, **({how: True} if how else {})) in REFUSALS

    @rule(name=st.sampled_from(NAMES), topics=SUBSCRIPTIONS)
    def subscribe(self, name: str, topics: str) -> None:
        if self.has_client(name):
            assert self.machine.subscribe(name, topics) in REFUSALS

    @rule(name=st.sampled_from(NAMES), away=st.booleans())
    def leave(self, name: str, away: bool) -> None:
        if self.has_client(name):
            away = away and self.machine.clients[name].instance_id is not None
            assert self.machine.leave(name, away=away) in REFUSALS

    @rule(name=st.sampled_from(NAMES))
    def crash(self, name: str) -> None:
        self.machine.clients.pop(name, None)

    @rule(ms=st.sampled_from([100, 5_000, 31_000, 46_000]))
    def advance(self, ms: int) -> None:
        self.machine.advance(ms)

    @rule(name=st.sampled_from(TOPICS), count=st.integers(1, 6))
    def change_topic(self, name: str, count: int) -> None:
        topic = self.machine.topics.get(name)
        if topic is None:
            self.machine.topics.make(name, count)
        elif count > topic.partitions:
            self.machine.topics.grow(name, count)
        else:
            self.machine.topics.delete(name)

    @rule()
    def restart(self) -> None:
        self.machine.restart()

    @rule()
    @precondition(lambda self: len(self.machine.clients) > 0)
    def settle(self) -> None:
        """Those who are gone are found out; those who are there come to an even assignment of everything they read."""
        for _ in range(5):
            self.machine.settle(2)
            self.machine.advance(10_000)
        self.machine.settle(20)
        group, clients = self.machine.group, self.machine.clients
        assert group.state.value == "Stable"
        assert {client.member_id for client in clients.values()} == group.members.keys()
        read = {topic for client in clients.values() for topic in client.topics or ()}
        there = {
            (topic.id, index)
            for name in read
            if (topic := self.machine.topics.get(name))
            for index in range(topic.partitions)
        }
        owned = [partition for client in clients.values() for partition in client.owned]
        assert sorted(owned) == sorted(there)
        for client in clients.values():
            assert client.epoch == group.target_epoch
            assert client.owned == group.members[client.member_id].target
        if self.assignor is None and len({client.topics for client in clients.values()}) == 1:
            sizes = [len(client.owned) for client in clients.values()]
            assert max(sizes) - min(sizes) <= 1

    @invariant()
    def no_partition_has_two_owners(self) -> None:
        """As the coordinator sees it, and as the clients do that it still counts as members with their epoch."""
        if not hasattr(self, "machine"):
            return
        group = self.machine.group
        held: dict[object, str] = {}
        for member in group.members.values():
            for partition in member.progress.assigned | member.progress.revoking:
                assert held.setdefault(partition, member.member_id) == member.member_id
            assert member.progress.assigned.isdisjoint(member.progress.revoking)
            assert member.progress.epoch <= group.target_epoch
        assert held == group.owners
        seen: dict[object, str] = {}
        for name, client in self.machine.clients.items():
            member = group.members.get(client.member_id)
            if member is None or client.epoch not in (member.progress.epoch, member.progress.previous_epoch):
                continue
            for partition in client.owned:
                assert seen.setdefault(partition, name) == name

    @invariant()
    def targets_do_not_overlap(self) -> None:
        if hasattr(self, "machine"):
            lines = [member.target for member in self.machine.group.members.values()]
            assert sum(map(len, lines)) == len(frozenset().union(*lines))


TestGroupLife = GroupLife.TestCase
TestGroupLife.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
