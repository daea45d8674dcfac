"""Clients of both protocols in one group: the way from the one to the other and back, with members in it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from confluent_kafka import ConsumerGroupState, ConsumerGroupType, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from kio.schema.errors import ErrorCode

from broker import Broker
from broker.options import BrokerOptions
from tests.broker.consumer_groups.consumers import ProtocolConsumer
from tests.broker.consumer_groups.member import DESCRIBE, WireMember, settle
from tests.broker.groups.members import GroupMember
from tests.broker.groups.test_group_handlers import COMMIT, HEARTBEAT, JOIN, LEAVE, LIST, SYNC
from tests.broker.groups.waits import wait_until
from tests.broker.groups.wire import WireClient, wire

MakeTopic = Callable[..., str]
OK = ErrorCode.none


def poll_all(*members: GroupMember | ProtocolConsumer) -> None:
    for member in members:
        member.poll()


def kind(admin: AdminClient, group: str) -> tuple[ConsumerGroupType, ConsumerGroupState]:
    (line,) = [one for one in admin.list_consumer_groups().result(10).valid if one.group_id == group]
    return line.type, line.state


# -- clients -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("strategy", ["range", "cooperative-sticky"])
def test_group_is_upgraded_and_downgraded_member_by_member(
    servers: str, group: str, admin: AdminClient, make_topic: MakeTopic, strategy: str
) -> None:
    """No partition has two owners, or none, when things have settled; the offsets stay."""
    topic = make_topic(4)
    classic = GroupMember(servers, group, topic, partition_assignment_strategy=strategy)
    wait_until(lambda: classic.poll() or len(classic.owned) == 4, "the classic member owns all")
    classic.consumer.commit(offsets=[TopicPartition(topic, 0, 3)], asynchronous=False)
    modern = ProtocolConsumer(servers, group, topic)
    wait_until(lambda: poll_all(classic, modern) or (len(classic.owned), len(modern.owned)) == (2, 2), "both share")
    assert set(classic.owned).isdisjoint(modern.owned)
    assert kind(admin, group) == (ConsumerGroupType.CONSUMER, ConsumerGroupState.STABLE)
    second = GroupMember(servers, group, topic, partition_assignment_strategy=strategy)
    wait_until(
        lambda: (
            poll_all(classic, modern, second)
            or sorted(map(len, (classic.owned, modern.owned, second.owned))) == [1, 1, 2]
        ),
        "a classic member joins, too",
    )
    second.close()
    wait_until(lambda: poll_all(classic, modern) or (len(classic.owned), len(modern.owned)) == (2, 2), "it left")
    modern.close()
    wait_until(lambda: classic.poll() or len(classic.owned) == 4, "the classic member owns all again")
    assert kind(admin, group)[0] is ConsumerGroupType.CLASSIC
    (found,) = classic.consumer.committed([TopicPartition(topic, 0)], timeout=5)
    assert found.offset == 3
    classic.close()


def test_group_is_upgraded_for_good_when_the_last_classic_member_leaves(
    servers: str, group: str, admin: AdminClient, make_topic: MakeTopic
) -> None:
    topic = make_topic(2)
    classic = GroupMember(servers, group, topic)
    wait_until(lambda: classic.poll() or len(classic.owned) == 2, "the classic member owns all")
    modern = ProtocolConsumer(servers, group, topic)
    wait_until(lambda: poll_all(classic, modern) or (len(classic.owned), len(modern.owned)) == (1, 1), "both share")
    classic.close()
    wait_until(lambda: modern.poll() or len(modern.owned) == 2, "the new one owns all")
    assert kind(admin, group) == (ConsumerGroupType.CONSUMER, ConsumerGroupState.STABLE)
    modern.close()


def test_mixed_group_goes_on_after_kill_9(tmp_path: Any) -> None:
    with Broker(data=tmp_path) as broker:
        servers = broker.bootstrap_servers
        admin = AdminClient({"bootstrap.servers": servers})
        admin.create_topics([NewTopic("t", 4)])["t"].result(10)
        classic = GroupMember(servers, "g", "t")
        wait_until(lambda: classic.poll() or len(classic.owned) == 4, "the classic member owns all")
        modern = ProtocolConsumer(servers, "g", "t")
        wait_until(lambda: poll_all(classic, modern) or (len(classic.owned), len(modern.owned)) == (2, 2), "both share")
        at = [TopicPartition("t", modern.owned[0])]
        broker.kill()
        broker.restart()
        wait_until(lambda: poll_all(classic, modern) or modern.consumer.committed(at, timeout=5), "it is back")
        modern.close()
        wait_until(lambda: classic.poll() or len(classic.owned) == 4, "the classic member owns all again")
        broker.kill()
        broker.restart()
        assert kind(admin, "g")[0] is ConsumerGroupType.CLASSIC
        classic.close()


# -- on the wire -------------------------------------------------------------------------------------------------------
def subscription(topic: str, owned: tuple[int, ...] = ()) -> bytes:
    """Version 1 of the consumer protocol."""
    name = len(topic).to_bytes(2, "big") + topic.encode()
    partitions = len(owned).to_bytes(4, "big") + b"".join(index.to_bytes(4, "big") for index in owned)
    lines = b"\x00\x00\x00\x01" + name + partitions if owned else b"\x00\x00\x00\x00"
    return b"\x00\x01" + b"\x00\x00\x00\x01" + name + b"\xff\xff\xff\xff" + lines


class ClassicMember:
    """A classic member in a group that has others."""

    def __init__(self, client: WireClient, group: str, topic: str, instance_id: str | None = None) -> None:
        self.client, self.group, self.topic, self.instance_id = client, group, topic, instance_id
        self.member_id, self.generation = "", -1
        self.owned: tuple[int, ...] = ()

    def join(self, **fields: Any) -> ErrorCode:
        answer = self.client.ask(
            JOIN,
            5,
            **{
                "group_id": self.group,
                "session_timeout": timedelta(seconds=10),
                "rebalance_timeout": timedelta(seconds=10),
                "member_id": self.member_id,
                "group_instance_id": self.instance_id,
                "protocol_type": "consumer",
                "protocols": [{"name": "range", "metadata": subscription(self.topic, self.owned)}],
                **fields,
            },
        )
        if answer.error_code in (OK, ErrorCode.member_id_required):
            self.member_id, self.generation = answer.member_id, answer.generation_id
        return answer.error_code

    def sync(self, **fields: Any) -> ErrorCode:
        answer = self.client.ask(
            SYNC,
            5,
            **{
                "group_id": self.group,
                "generation_id": self.generation,
                "member_id": self.member_id,
                "group_instance_id": self.instance_id,
                "protocol_type": "consumer",
                "protocol_name": "range",
                "assignments": (),
                **fields,
            },
        )
        if answer.error_code is OK:
            name = len(self.topic).to_bytes(2, "big") + self.topic.encode()
            _, _, rest = answer.assignment.partition(name)
            count = int.from_bytes(rest[:4], "big") if rest else 0
            self.owned = tuple(int.from_bytes(rest[4 + 4 * i : 8 + 4 * i], "big") for i in range(count))
        return answer.error_code

    def beat(self, **fields: Any) -> ErrorCode:
        values = {"generation_id": self.generation, "member_id": self.member_id, "group_instance_id": self.instance_id}
        return self.client.ask(HEARTBEAT, 3, group_id=self.group, **{**values, **fields}).error_code

    def leave(self, **fields: Any) -> ErrorCode:
        line = {"member_id": self.member_id, "group_instance_id": self.instance_id, **fields}
        return self.client.ask(LEAVE, 3, group_id=self.group, members=[line]).members[0].error_code


def group_type(client: WireClient, group: str) -> str:
    answer = client.ask(LIST, 5, states_filter=(), types_filter=())
    return next(line.group_type for line in answer.groups if line.group_id == group)


@pytest.fixture
def mixed(client: WireClient, group: str, make_topic: MakeTopic) -> tuple[WireMember, ClassicMember]:
    """A member of the consumer protocol that owned both partitions, and a classic one that has just joined."""
    topic = make_topic(2)
    modern = WireMember(client, group, [topic])
    settle(modern)
    classic = ClassicMember(client, group, topic)
    assert classic.join() is ErrorCode.member_id_required
    assert classic.join() is OK
    return modern, classic


def test_classic_member_gets_its_share_by_joining_again(mixed: tuple[WireMember, ClassicMember]) -> None:
    modern, classic = mixed
    assert classic.sync() is OK
    assert classic.owned == ()
    assert classic.beat() is OK
    settle(modern)
    assert modern.count == 1
    assert classic.beat() is ErrorCode.rebalance_in_progress
    assert classic.join() is OK
    assert classic.sync() is OK
    assert len(classic.owned) == 1
    assert classic.generation == modern.epoch
    assert classic.beat() is OK


def test_classic_member_gives_up_before_others_take(
    client: WireClient, group: str, mixed: tuple[WireMember, ClassicMember]
) -> None:
    modern, classic = mixed
    classic.sync()
    modern.leave()
    assert classic.join() is OK
    assert classic.sync() is OK
    assert group_type(client, group) == "classic"


def test_classic_member_is_checked_by_generation_and_protocol(mixed: tuple[WireMember, ClassicMember]) -> None:
    modern, classic = mixed
    assert classic.sync(generation_id=classic.generation + 1) is ErrorCode.illegal_generation
    assert classic.sync(protocol_type="connect") is ErrorCode.inconsistent_group_protocol
    assert classic.sync(protocol_name="other") is ErrorCode.inconsistent_group_protocol
    assert classic.sync(member_id="x") is ErrorCode.unknown_member_id
    assert classic.beat(generation_id=classic.generation + 1) is ErrorCode.illegal_generation
    assert classic.beat(member_id="x") is ErrorCode.unknown_member_id
    assert classic.beat(member_id=modern.member_id, generation_id=modern.epoch) is ErrorCode.unknown_member_id
    assert classic.leave(member_id="x") is ErrorCode.unknown_member_id


def test_classic_member_leaves(client: WireClient, mixed: tuple[WireMember, ClassicMember]) -> None:
    modern, classic = mixed
    assert classic.leave() is OK
    settle(modern)
    assert modern.count == 2
    assert classic.beat() is ErrorCode.unknown_member_id


def test_member_of_the_consumer_protocol_is_sent_away_by_leave_group(
    client: WireClient, group: str, mixed: tuple[WireMember, ClassicMember]
) -> None:
    """As administrators do; what is left then is a classic group."""
    modern, classic = mixed
    assert classic.leave(member_id=modern.member_id) is OK
    assert modern.beat() is ErrorCode.group_id_not_found
    assert group_type(client, group) == "classic"


def test_classic_member_commits_with_its_generation(
    client: WireClient, mixed: tuple[WireMember, ClassicMember]
) -> None:
    _, classic = mixed

    def commit(generation: int) -> ErrorCode:
        line = {"partition_index": 0, "committed_offset": 5, "committed_leader_epoch": -1, "committed_metadata": ""}
        answer = client.ask(
            COMMIT,
            8,
            group_id=classic.group,
            generation_id_or_member_epoch=generation,
            member_id=classic.member_id,
            group_instance_id=None,
            topics=[{"name": classic.topic, "partitions": [line]}],
        )
        return answer.topics[0].partitions[0].error_code

    assert commit(classic.generation) is OK
    assert commit(classic.generation - 1) is ErrorCode.illegal_generation


def test_classic_member_is_described_as_such(
    client: WireClient, group: str, mixed: tuple[WireMember, ClassicMember]
) -> None:
    found = client.ask(DESCRIBE, 1, group_ids=(group,)).groups[0]
    assert sorted(member.member_type for member in found.members) == [0, 1]


def test_classic_member_that_does_not_come_back_is_out(client: WireClient, group: str, make_topic: MakeTopic) -> None:
    """Its heartbeats say that it lives, but it does not join: after its rebalance timeout it is out."""
    topic = make_topic(2)
    modern = WireMember(client, group, [topic])
    settle(modern)
    classic = ClassicMember(client, group, topic)
    classic.join(rebalance_timeout=timedelta(milliseconds=400))
    classic.join(rebalance_timeout=timedelta(milliseconds=400))
    assert classic.sync() is OK
    settle(modern)
    wait_until(lambda: classic.beat() is ErrorCode.unknown_member_id, "the classic member is out")


def test_static_member_changes_its_protocol_and_back(client: WireClient, group: str, make_topic: MakeTopic) -> None:
    """Nobody else has to move; with the last member of the consumer protocol the group goes back as well."""
    topic = make_topic(2)
    classic = ClassicMember(client, group, topic, instance_id="i")
    assert classic.join() is OK
    mine = b"\x00\x01\x00\x00\x00\x01" + len(topic).to_bytes(2, "big") + topic.encode() + b"\x00\x00\x00\x02"
    mine += b"\x00\x00\x00\x00\x00\x00\x00\x01\xff\xff\xff\xff"
    assert classic.sync(assignments=[{"member_id": classic.member_id, "assignment": mine}]) is OK
    modern = WireMember(client, group, [topic], instance_id="i")
    assert modern.beat() is OK
    assert (modern.count, group_type(client, group)) == (2, "consumer")
    assert classic.beat() is ErrorCode.fenced_instance_id
    back = ClassicMember(client, group, topic, instance_id="i")
    assert back.join() is OK
    assert group_type(client, group) == "classic"
    assert back.sync() is OK
    assert back.owned == (0, 1)


@pytest.mark.parametrize(("policy", "up"), [("disabled", False), ("downgrade", False), ("upgrade", True)])
def test_migration_policy_is_obeyed(policy: Any, up: bool) -> None:
    with (
        Broker(options=BrokerOptions(group_consumer_migration_policy=policy), in_process=True) as broker,
        wire(broker.bootstrap_servers) as client,
    ):
        classic = ClassicMember(client, "g", "t")
        classic.join()
        classic.join()
        modern = WireMember(client, "g", ["t"])
        assert modern.beat() is (OK if up else ErrorCode.group_id_not_found)
        if up:
            modern.leave()
            assert group_type(client, "g") == "consumer"
