"""Unmodified librdkafka consumers (confluent-kafka) in a group on the broker."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from tests.broker.groups.members import GroupMember, poll_all
from tests.broker.groups.waits import wait_until
from tests.cluster import elsewhere

MakeTopic = Callable[..., str]
DEFAULTS = {"heartbeat_interval_ms": 3_000, "session_timeout_ms": 45_000, "max_poll_interval_ms": 300_000}


def test_group_of_two_shares_partitions_and_the_survivor_takes_all(
    servers: str, make_topic: MakeTopic, group: str
) -> None:
    """Two members own half each; one leaves, the other owns all; every record is read."""
    topic = make_topic(4, records=5)
    first = GroupMember(servers, group, topic)
    wait_until(lambda: first.poll() or first.owned == [0, 1, 2, 3], "the first member owns all")
    second = GroupMember(servers, group, topic)
    members = (first, second)
    wait_until(lambda: poll_all(*members) or [len(m.owned) for m in members] == [2, 2], "both own half")
    assert sorted(first.owned + second.owned) == [0, 1, 2, 3]
    first.close()
    wait_until(lambda: second.poll() or second.owned == [0, 1, 2, 3], "the survivor owns all")
    seen = lambda: {m.value() for m in first.messages + second.messages}  # noqa: E731
    wait_until(lambda: second.poll() or len(seen()) == 20, "all records are read")
    second.close()


@pytest.mark.skipif(bool(elsewhere()), reason="Apache Kafka takes up to a heartbeat interval of three seconds")
def test_second_member_has_its_share_within_a_second(servers: str, make_topic: MakeTopic, group: str) -> None:
    """With everybody's defaults, once the first is settled: its heartbeat is held, and so it learns at once. One of
    three tries will do: a slow machine is no failure."""
    topic = make_topic(4)
    first = GroupMember(servers, group, topic, **DEFAULTS)
    for _ in range(3):
        wait_until(lambda: first.poll() or len(first.owned) == 4, "the first member owns all")
        settled = time.monotonic() + 1.1 * DEFAULTS["heartbeat_interval_ms"] / 1000
        wait_until(lambda settled=settled: first.poll() or time.monotonic() > settled, "it has beaten")
        start = time.monotonic()
        second = GroupMember(servers, group, topic, **DEFAULTS)
        wait_until(lambda second=second: poll_all(first, second) or len(second.owned) == 2, "the second has its share")
        took = time.monotonic() - start
        second.close()
        if took < 1:
            break
    else:
        pytest.fail(f"the last of three tries took {took:.1f} s")
    first.close()


def test_group_goes_on_from_its_committed_offsets(servers: str, make_topic: MakeTopic, group: str) -> None:
    """A new member starts where the last one committed, metadata included."""
    topic = make_topic(1, records=10)
    first = GroupMember(servers, group, topic)
    wait_until(lambda: first.poll() or len(first.messages) >= 5, "five records")
    first.consumer.commit(offsets=[TopicPartition(topic, 0, 5, metadata="half way")], asynchronous=False)
    (committed,) = first.consumer.committed([TopicPartition(topic, 0)], timeout=10)
    assert (committed.offset, committed.metadata) == (5, "half way")
    first.close()
    second = GroupMember(servers, group, topic)
    wait_until(lambda: second.poll() or second.messages, "a record for the second member")
    assert second.messages[0].offset() == 5
    second.close()


def test_static_member_restarts_without_a_rebalance(servers: str, make_topic: MakeTopic, group: str) -> None:
    """KIP-345: its successor gets the same partitions, and the other member notices nothing."""
    topic = make_topic(4)
    first = GroupMember(servers, group, topic, group_instance_id="i1")
    second = GroupMember(servers, group, topic, group_instance_id="i2")
    wait_until(lambda: poll_all(first, second) or len(first.owned) == len(second.owned) == 2, "both own half")
    moves, owned = list(first.moves), second.owned
    second.close()
    successor = GroupMember(servers, group, topic, group_instance_id="i2")
    wait_until(lambda: poll_all(first, successor) or successor.owned == owned, "the successor owns the same")
    assert first.moves == moves
    first.close()
    successor.close()


def test_static_member_twice_fences_the_first(servers: str, make_topic: MakeTopic, group: str) -> None:
    """Two processes claim the same instance id: the earlier one fails for good, and says why."""
    topic = make_topic(1)
    first = GroupMember(servers, group, topic, group_instance_id="same")
    wait_until(lambda: first.poll() or first.owned == [0], "the first owns the partition")
    second = GroupMember(servers, group, topic, group_instance_id="same")
    wait_until(lambda: second.poll() or second.owned == [0], "the second owns the partition")
    errors: list[int] = []

    def first_is_fenced() -> bool:
        try:
            message = first.consumer.poll(0.05)
        except KafkaException as error:
            errors.append(error.args[0].code())
        else:
            if message is not None and (error := message.error()) is not None:
                errors.append(error.code())
        return bool({KafkaError.FENCED_INSTANCE_ID, KafkaError._FATAL} & set(errors))

    wait_until(first_is_fenced, "the first is fenced")
    second.close()
    first.close()


def test_cooperative_members_keep_what_does_not_move(servers: str, make_topic: MakeTopic, group: str) -> None:
    """KIP-429: the first member gives up two partitions only, and is never without the others."""
    topic = make_topic(4)
    strategy = {"partition_assignment_strategy": "cooperative-sticky"}
    first = GroupMember(servers, group, topic, **strategy)
    wait_until(lambda: first.poll() or first.owned == [0, 1, 2, 3], "the first member owns all")
    second = GroupMember(servers, group, topic, **strategy)
    wait_until(lambda: poll_all(first, second) or len(first.owned) == len(second.owned) == 2, "both own half")
    assert sorted(first.owned + second.owned) == [0, 1, 2, 3]
    assert [len(partitions) for kind, partitions in first.moves if kind == "revoked"] == [2]
    second.close()
    wait_until(lambda: first.poll() or first.owned == [0, 1, 2, 3], "the first member owns all again")
    first.close()


def test_killed_member_is_replaced_after_its_session(servers: str, make_topic: MakeTopic, group: str) -> None:
    """A member that stops beating (max.poll.interval exceeded here) loses its partitions to the other."""
    topic = make_topic(2)
    first = GroupMember(servers, group, topic)
    silent = GroupMember(servers, group, topic, session_timeout_ms=1_500, max_poll_interval_ms=1_500)
    wait_until(lambda: poll_all(first, silent) or len(first.owned) == len(silent.owned) == 1, "both own one")
    wait_until(lambda: first.poll() or first.owned == [0, 1], "the live member owns all")
    first.close()
    silent.close()


def test_commit_of_a_stranger_is_refused_while_the_group_has_members(
    servers: str, make_topic: MakeTopic, group: str
) -> None:
    """A simple commit (no generation) to a group with members would be overwritten by them: UNKNOWN_MEMBER_ID."""
    topic = make_topic(1)
    member = GroupMember(servers, group, topic)
    wait_until(lambda: member.poll() or member.owned == [0], "the member owns the partition")
    stranger = GroupMember(servers, group, topic).consumer
    stranger.unsubscribe()
    with pytest.raises(KafkaException) as raised:
        stranger.commit(offsets=[TopicPartition(topic, 0, 1)], asynchronous=False)
    assert raised.value.args[0].code() in (KafkaError.UNKNOWN_MEMBER_ID, KafkaError.ILLEGAL_GENERATION)
    stranger.close()
    member.close()


def test_group_ids_and_topics_beyond_ascii_round_trip(servers: str, make_topic: MakeTopic, group: str) -> None:
    """Group ids and metadata are any text."""
    topic = make_topic(1)
    name = f"{group}-gruppe-é-группа"
    consumer = GroupMember(servers, name, topic).consumer
    consumer.unsubscribe()
    consumer.commit(offsets=[TopicPartition(topic, 0, 3, metadata="日本")], asynchronous=False)
    (committed,) = consumer.committed([TopicPartition(topic, 0)], timeout=10)
    assert (committed.offset, committed.metadata) == (3, "日本")
    consumer.close()
    admin = AdminClient({"bootstrap.servers": servers})
    assert name in [g.group_id for g in admin.list_consumer_groups().result(10).valid]
