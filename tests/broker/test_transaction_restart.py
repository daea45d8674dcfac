"""A transaction outlives its broker."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from broker import Broker
from tests.broker.transactions.clients import QUICK, producer, read_all, write


def committed(broker: Broker, seconds: float) -> int:
    """The group's offset, for a consumer that waits for open transactions so long."""
    consumer = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": "g", **QUICK})
    try:
        (found,) = consumer.committed([TopicPartition("t", 0)], timeout=seconds)
    finally:
        consumer.close()
    return found.offset


@pytest.mark.parametrize(("fsync", "clean"), [("never", False), ("always", True)])
def test_open_transaction_can_be_committed_after_a_restart(
    tmp_path: Path, fsync: Literal["never", "always"], clean: bool
) -> None:
    """Its records stay hidden and its offsets unstable until then; what comes after it is hidden with it."""
    with Broker(data=tmp_path / "data", fsync=fsync) as broker:
        servers = broker.bootstrap_servers
        admin = AdminClient({"bootstrap.servers": servers, **QUICK})
        admin.create_topics([NewTopic("t", 1)])["t"].result(10)
        client, other = producer(servers, "tx"), producer(servers, "other")
        owner = Consumer({"bootstrap.servers": servers, "group.id": "g", **QUICK})
        client.begin_transaction()
        write(client, "t", ["a", "b"])
        client.send_offsets_to_transaction([TopicPartition("t", 0, 5)], owner.consumer_group_metadata(), 10)
        other.begin_transaction()
        write(other, "t", ["aborted"])
        other.abort_transaction(10)
        if not clean:
            broker.kill()
        broker.restart()
        assert read_all(servers, "t") == []
        assert read_all(servers, "t", committed=False) == ["a", "b", "aborted"]
        with pytest.raises(KafkaException):
            committed(broker, 0.5)
        write(client, "t", ["c"])
        client.commit_transaction(20)
        assert read_all(servers, "t") == ["a", "b", "c"]
        assert committed(broker, 10) == 5
        owner.close()


def test_transaction_that_was_open_is_aborted_for_its_successor_after_a_restart(tmp_path: Path) -> None:
    with Broker(data=tmp_path / "data") as broker:
        servers = broker.bootstrap_servers
        admin = AdminClient({"bootstrap.servers": servers, **QUICK})
        admin.create_topics([NewTopic("t", 1)])["t"].result(10)
        lost = producer(servers, "tx")
        lost.begin_transaction()
        write(lost, "t", ["lost"])
        broker.kill()
        broker.restart()
        successor = producer(servers, "tx")
        successor.begin_transaction()
        write(successor, "t", ["kept"])
        successor.commit_transaction(20)
        assert read_all(servers, "t") == ["kept"]
