"""librdkafka (confluent-kafka) with transactions, as it is."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from tests.broker.groups.waits import wait_until
from tests.broker.transactions.clients import producer, read_all, write

MakeTopic = Callable[..., str]


def commit_group(servers: str, group: str, topic: str, offset: int) -> None:
    consumer = Consumer({"bootstrap.servers": servers, "group.id": group})
    consumer.commit(offsets=[TopicPartition(topic, 0, offset)], asynchronous=False)
    consumer.close()


def committed_offset(servers: str, group: str, topic: str) -> int:
    """What a consumer with read_committed (and so require_stable) would go on from."""
    consumer = Consumer({"bootstrap.servers": servers, "group.id": group, "isolation.level": "read_committed"})
    (found,) = consumer.committed([TopicPartition(topic, 0)], timeout=20)
    consumer.close()
    return found.offset


def test_committed_transactions_are_read_and_aborted_ones_are_not(
    servers: str, make_topic: MakeTopic, unique: str
) -> None:
    topic = make_topic(3)
    client = producer(servers, unique)
    for number in range(10):
        client.begin_transaction()
        for partition in range(3):
            write(client, topic, [f"{number}-{index}" for index in range(3)], partition)
        if number % 3:
            client.commit_transaction(20)
        else:
            client.abort_transaction(20)
    expected = [f"{number}-{index}" for number in range(10) if number % 3 for index in range(3)]
    everything = [f"{number}-{index}" for number in range(10) for index in range(3)]
    for partition in range(3):
        assert read_all(servers, topic, partition) == expected
        assert read_all(servers, topic, partition, committed=False) == everything


def test_open_transaction_hides_what_follows_it_until_it_is_decided(
    servers: str, make_topic: MakeTopic, unique: str
) -> None:
    topic = make_topic()
    slow, fast = producer(servers, f"{unique}-slow"), producer(servers, f"{unique}-fast")
    slow.begin_transaction()
    write(slow, topic, ["slow"])
    fast.begin_transaction()
    write(fast, topic, ["fast"])
    fast.commit_transaction(20)
    assert read_all(servers, topic) == []
    assert read_all(servers, topic, committed=False) == ["slow", "fast"]
    slow.commit_transaction(20)
    assert read_all(servers, topic) == ["slow", "fast"]


def test_read_committed_consumer_sees_a_commit_at_once(servers: str, make_topic: MakeTopic, unique: str) -> None:
    """The marker wakes its waiting fetch: well below fetch.wait.max.ms."""
    topic = make_topic()
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "none", "fetch.wait.max.ms": 10_000})
    consumer.assign([TopicPartition(topic, 0, 0)])
    client = producer(servers, unique)
    delays: list[float] = []
    for number in range(5):
        client.begin_transaction()
        write(client, topic, [number])
        assert consumer.poll(0.05) is None
        client.commit_transaction(20)
        start = time.perf_counter()
        message = consumer.poll(20)
        delays.append(time.perf_counter() - start)
        assert message is not None
        assert message.value() == str(number).encode()
    assert min(delays) < 0.5
    consumer.close()


def test_second_producer_fences_the_first(servers: str, make_topic: MakeTopic, unique: str) -> None:
    topic = make_topic()
    first = producer(servers, unique)
    first.begin_transaction()
    write(first, topic, ["first"])
    second = producer(servers, unique)
    second.begin_transaction()
    write(second, topic, ["second"])
    with pytest.raises(KafkaException) as raised:
        first.commit_transaction(20)
    assert raised.value.args[0].code() == KafkaError._FENCED
    assert raised.value.args[0].fatal()
    second.commit_transaction(20)
    assert read_all(servers, topic) == ["second"]


def test_zombies_late_records_are_not_written(servers: str, make_topic: MakeTopic, unique: str) -> None:
    """A producer that was stopped for a while writes into what is not its transaction any more."""
    topic = make_topic()
    zombie = producer(servers, unique)
    zombie.begin_transaction()
    write(zombie, topic, ["before"])
    successor = producer(servers, unique)
    zombie.produce(topic, "after", partition=0)
    with pytest.raises(KafkaException) as raised:
        wait_until(lambda: zombie.poll(0.05), "the fatal error")
    assert raised.value.args[0].fatal()
    assert read_all(servers, topic, committed=False) == ["before"]
    successor.begin_transaction()
    write(successor, topic, ["new"])
    successor.commit_transaction(20)
    assert read_all(servers, topic) == ["new"]


def test_transaction_that_takes_too_long_is_aborted(servers: str, make_topic: MakeTopic, unique: str) -> None:
    topic = make_topic()
    client = producer(servers, unique, transaction_timeout_ms=1_000)
    client.begin_transaction()
    write(client, topic, ["late"])
    watcher = producer(servers, f"{unique}-watcher")
    watcher.begin_transaction()
    write(watcher, topic, ["other"])
    watcher.commit_transaction(20)
    wait_until(lambda: read_all(servers, topic) == ["other"], "the abort", seconds=30)
    with pytest.raises(KafkaException) as raised:
        client.commit_transaction(20)
    assert raised.value.args[0].fatal()
    assert read_all(servers, topic) == ["other"]


@pytest.mark.parametrize("commit", [True, False])
def test_offsets_count_with_the_transaction(servers: str, make_topic: MakeTopic, unique: str, commit: bool) -> None:
    topic = make_topic()
    commit_group(servers, unique, topic, 1)
    # read_committed, the default, would wait for the transaction's end.
    settings = {"bootstrap.servers": servers, "group.id": unique, "isolation.level": "read_uncommitted"}
    consumer = Consumer(settings)
    client = producer(servers, unique)
    client.begin_transaction()
    write(client, topic, ["x"])
    metadata = consumer.consumer_group_metadata()
    client.send_offsets_to_transaction([TopicPartition(topic, 0, 5)], metadata, 20)
    assert consumer.committed([TopicPartition(topic, 0)], timeout=20)[0].offset == 1
    if commit:
        client.commit_transaction(20)
    else:
        client.abort_transaction(20)
    assert committed_offset(servers, unique, topic) == (5 if commit else 1)
    consumer.close()


def test_stable_offsets_are_waited_for(servers: str, make_topic: MakeTopic, unique: str) -> None:
    """A consumer that takes over must not go on from an offset that an open transaction is about to move (KIP-447)."""
    topic = make_topic()
    commit_group(servers, unique, topic, 1)
    owner = Consumer({"bootstrap.servers": servers, "group.id": unique})
    client = producer(servers, unique)
    client.begin_transaction()
    client.send_offsets_to_transaction([TopicPartition(topic, 0, 5)], owner.consumer_group_metadata(), 20)
    reader = Consumer({"bootstrap.servers": servers, "group.id": unique, "isolation.level": "read_committed"})
    with pytest.raises(KafkaException):
        reader.committed([TopicPartition(topic, 0)], timeout=1)
    client.commit_transaction(20)
    assert reader.committed([TopicPartition(topic, 0)], timeout=20)[0].offset == 5
    reader.close()
    owner.close()


def test_offsets_of_a_member_that_lost_its_place_are_refused(servers: str, make_topic: MakeTopic, unique: str) -> None:
    """KIP-447: the generation fences it, whatever its transactional id."""
    topic = make_topic()
    settings = {"bootstrap.servers": servers, "group.id": unique, "session.timeout.ms": 6_000}
    first = Consumer(settings)
    first.subscribe([topic])
    wait_until(lambda: first.poll(0.05) or first.assignment(), "the first member owns the partition")
    stale = first.consumer_group_metadata()
    first.close()
    second = Consumer(settings)
    second.subscribe([topic])
    wait_until(lambda: second.poll(0.05) or second.assignment(), "the second member owns the partition")
    client = producer(servers, unique)
    client.begin_transaction()
    with pytest.raises(KafkaException) as raised:
        client.send_offsets_to_transaction([TopicPartition(topic, 0, 5)], stale, 20)
    assert raised.value.args[0].code() in (KafkaError.UNKNOWN_MEMBER_ID, KafkaError.ILLEGAL_GENERATION)
    assert raised.value.args[0].txn_requires_abort()
    client.abort_transaction(20)
    client.begin_transaction()
    client.send_offsets_to_transaction([TopicPartition(topic, 0, 7)], second.consumer_group_metadata(), 20)
    client.commit_transaction(20)
    assert committed_offset(servers, unique, topic) == 7
    second.close()


def test_transactions_without_records_come_and_go(servers: str, unique: str) -> None:
    client = producer(servers, unique)
    for number in range(4):
        client.begin_transaction()
        if number % 2:
            client.commit_transaction(20)
        else:
            client.abort_transaction(20)


def test_end_offset_for_read_committed_is_the_last_stable_one(servers: str, make_topic: MakeTopic, unique: str) -> None:
    topic = make_topic()
    at = TopicPartition(topic, 0)
    client = producer(servers, unique)
    client.begin_transaction()
    write(client, topic, ["a", "b"])
    ends: dict[str, int] = {}
    for level in ("read_committed", "read_uncommitted"):
        consumer = Consumer({"bootstrap.servers": servers, "group.id": "none", "isolation.level": level})
        ends[level] = consumer.get_watermark_offsets(at, 20)[1]
        consumer.close()
    assert ends == {"read_committed": 0, "read_uncommitted": 2}
    client.commit_transaction(20)
