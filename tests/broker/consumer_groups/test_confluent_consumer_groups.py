"""Unmodified confluent-kafka consumers of the consumer group protocol, with their default settings."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from confluent_kafka import ConsumerGroupState, ConsumerGroupType, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from broker import Broker
from broker.options import BrokerOptions
from tests.broker.consumer_groups.consumers import ProtocolConsumer, poll_all
from tests.broker.groups.waits import wait_until
from tests.broker.transactions.clients import QUICK
from tests.cluster import elsewhere

MakeTopic = Callable[..., str]


def test_members_share_read_and_leave(servers: str, group: str, make_topic: MakeTopic) -> None:
    """Every record is read once, whoever comes and goes."""
    topic = make_topic(4, records=10)
    a = ProtocolConsumer(servers, group, topic)
    wait_until(lambda: a.poll() or a.owned == [0, 1, 2, 3], "the first member owns all")
    b = ProtocolConsumer(servers, group, topic)
    wait_until(lambda: poll_all(a, b) or (len(a.owned), len(b.owned)) == (2, 2), "two members share")
    assert set(a.owned).isdisjoint(b.owned)
    wait_until(lambda: poll_all(a, b) or len({m.value() for m in a.messages + b.messages}) == 40, "all is read")
    b.close()
    wait_until(lambda: a.poll() or len(a.owned) == 4, "what is left comes back")
    assert [kind for kind, _ in a.moves if kind == "lost"] == []
    a.close()


@pytest.mark.skipif(bool(elsewhere()), reason="Apache Kafka takes up to ten seconds")
def test_second_member_has_its_share_within_a_second(servers: str, group: str, make_topic: MakeTopic) -> None:
    """With everybody's defaults: the broker asks small groups for more heartbeats. Best of three: a slow machine is
    no failure."""
    topic = make_topic(4)
    a = ProtocolConsumer(servers, group, topic)
    wait_until(lambda: a.poll() or len(a.owned) == 4, "the first member owns all")
    took: list[float] = []
    for _ in range(3):
        start = time.monotonic()
        b = ProtocolConsumer(servers, group, topic)
        wait_until(lambda b=b: poll_all(a, b) or len(b.owned) == 2, "the second member has its share")
        took.append(time.monotonic() - start)
        b.close()
        wait_until(lambda: a.poll() or len(a.owned) == 4, "the first has all again")
    a.close()
    assert min(took) < 1


def test_static_member_comes_back_without_a_rebalance(servers: str, group: str, make_topic: MakeTopic) -> None:
    topic = make_topic(4)
    a = ProtocolConsumer(servers, group, topic, group_instance_id="one")
    b = ProtocolConsumer(servers, group, topic)
    wait_until(lambda: poll_all(a, b) or (len(a.owned), len(b.owned)) == (2, 2), "two members share")
    mine, moves = a.owned, list(b.moves)
    a.close()
    for _ in range(20):
        b.poll()
    a = ProtocolConsumer(servers, group, topic, group_instance_id="one")
    wait_until(lambda: poll_all(a, b) or a.owned == mine, "the static member has what it had")
    assert b.moves == moves
    a.close()
    b.close()


def test_subscription_by_regex_finds_new_topics(
    servers: str, group: str, admin: AdminClient, make_topic: MakeTopic
) -> None:
    prefix = f"re-{group}"
    first = make_topic(1, prefix=prefix)
    a = ProtocolConsumer(servers, group, f"^{prefix}.*", topic_metadata_refresh_interval_ms=500)
    wait_until(lambda: a.poll() or a.owned_topics == {first}, "the topic is found")
    second = f"{prefix}-second"
    admin.create_topics([NewTopic(second, 1)])[second].result(10)
    wait_until(lambda: a.poll() or a.owned_topics == {first, second}, "the new topic is found", seconds=30)
    a.close()


def test_topic_that_grows_is_shared_anew(servers: str, group: str, admin: AdminClient, make_topic: MakeTopic) -> None:
    from confluent_kafka.admin import NewPartitions

    topic = make_topic(1)
    a = ProtocolConsumer(servers, group, topic)
    wait_until(lambda: a.poll() or a.owned == [0], "the member owns what there is")
    admin.create_partitions([NewPartitions(topic, 3)])[topic].result(10)
    wait_until(lambda: a.poll() or a.owned == [0, 1, 2], "the member owns what is new", seconds=30)
    a.close()


def test_commits_are_there_for_the_next_member(servers: str, group: str, make_topic: MakeTopic) -> None:
    topic = make_topic(1, records=5)
    a = ProtocolConsumer(servers, group, topic)
    wait_until(lambda: a.poll() or len(a.messages) == 5, "all is read")
    a.consumer.commit(message=a.messages[2], asynchronous=False)
    a.close()
    b = ProtocolConsumer(servers, group, topic)
    wait_until(lambda: b.poll() or len(b.messages) == 2, "the rest is read")
    assert [m.offset() for m in b.messages] == [3, 4]
    b.close()


def test_admin_client_lists_describes_and_deletes(
    servers: str, group: str, admin: AdminClient, make_topic: MakeTopic
) -> None:
    topic = make_topic(2)
    a = ProtocolConsumer(servers, group, topic, client_id="mine")
    wait_until(lambda: a.poll() or len(a.owned) == 2, "the member owns all")
    listed = admin.list_consumer_groups(types={ConsumerGroupType.CONSUMER}).result(10)
    (line,) = [one for one in listed.valid if one.group_id == group]
    assert (line.state, line.type) == (ConsumerGroupState.STABLE, ConsumerGroupType.CONSUMER)
    described = admin.describe_consumer_groups([group])[group].result(10)
    assert (described.type, described.partition_assignor) == (ConsumerGroupType.CONSUMER, "uniform")
    (member,) = described.members
    assert member.client_id == "mine"
    assert sorted((p.topic, p.partition) for p in member.assignment.topic_partitions) == [(topic, 0), (topic, 1)]
    a.close()
    admin.delete_consumer_groups([group])[group].result(10)
    assert group not in [one.group_id for one in admin.list_consumer_groups().result(10).valid]


def test_member_that_polls_too_rarely_is_out() -> None:
    """Its client falls silent, and after its session the other one gets everything; when it polls again, it is back."""
    with Broker(options=BrokerOptions(group_consumer_session_timeout_ms=1_500)) as broker:
        servers = broker.bootstrap_servers
        admin = AdminClient({"bootstrap.servers": servers})
        admin.create_topics([NewTopic("t", 2)])["t"].result(10)
        a = ProtocolConsumer(servers, "g", "t", max_poll_interval_ms=1_000)
        b = ProtocolConsumer(servers, "g", "t")
        wait_until(lambda: poll_all(a, b) or (len(a.owned), len(b.owned)) == (1, 1), "two members share")
        wait_until(lambda: b.poll() or len(b.owned) == 2, "the other one has all")
        wait_until(lambda: poll_all(a, b) or (len(a.owned), len(b.owned)) == (1, 1), "two members share again")
        a.close()
        b.close()


@pytest.mark.parametrize(("how", "fsync"), [("restart", "always"), ("kill", "never")])
def test_members_go_on_after_the_broker_comes_back(tmp_path: Path, how: str, fsync: Literal["never", "always"]) -> None:
    """Neither a restart nor kill -9 costs them a partition or a commit."""
    with Broker(data=tmp_path, fsync=fsync) as broker:
        servers = broker.bootstrap_servers
        admin = AdminClient({"bootstrap.servers": servers, **QUICK})
        admin.create_topics([NewTopic("t", 4)])["t"].result(10)
        a = ProtocolConsumer(servers, "g", "t", group_instance_id="one")
        b = ProtocolConsumer(servers, "g", "t")
        wait_until(lambda: poll_all(a, b) or (len(a.owned), len(b.owned)) == (2, 2), "two members share")
        a.consumer.commit(offsets=[TopicPartition("t", a.owned[0], 7)], asynchronous=False)
        before = admin.describe_consumer_groups(["g"])["g"].result(10)
        owned, moves = (a.owned, b.owned), (list(a.moves), list(b.moves))
        if how == "kill":
            broker.kill()
        broker.restart()

        def committed() -> bool:
            poll_all(a, b)
            (found,) = a.consumer.committed([TopicPartition("t", a.owned[0])], timeout=5)
            return found.offset == 7

        wait_until(committed, "the commit is there")
        a.consumer.commit(offsets=[TopicPartition("t", a.owned[0], 8)], asynchronous=False)
        after = admin.describe_consumer_groups(["g"])["g"].result(10)
        assert {m.member_id for m in after.members} == {m.member_id for m in before.members}
        assert (a.owned, b.owned) == owned
        assert (a.moves, b.moves) == moves
        b.close()
        wait_until(lambda: a.poll() or len(a.owned) == 4, "the group lives")
        a.close()
