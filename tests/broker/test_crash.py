"""The broker is killed (SIGKILL) under load: what was acknowledged is there, in order, once."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Literal

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from broker import Broker
from tests.broker.waits import wait_for

PARTITIONS = 3
KILLS = 3


def read_all(bootstrap_servers: str, topic: str) -> list[list[int]]:
    """The numbers of each partition in the order of its log."""
    consumer = Consumer(
        {"bootstrap.servers": bootstrap_servers, "group.id": "none", "check.crcs": True, "enable.partition.eof": False}
    )
    found: list[list[int]] = [[] for _ in range(PARTITIONS)]
    ends = [consumer.get_watermark_offsets(TopicPartition(topic, partition), 10)[1] for partition in range(PARTITIONS)]
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in range(PARTITIONS)])
    while [len(one) for one in found] != ends:
        for message in consumer.consume(1_000, 0.2):
            assert message.error() is None, message.error()
            value, partition = message.value(), message.partition()
            assert value is not None
            assert partition is not None
            assert message.offset() == len(found[partition])
            found[partition].append(int(value))
    consumer.close()
    return found


@pytest.mark.parametrize("fsync", ["never", "always"])
def test_acknowledged_records_survive_kill_9_in_order_and_once(
    tmp_path: Path, fsync: Literal["never", "always"]
) -> None:
    """An idempotent producer writes through three crashes, each in the midst of its load."""
    with Broker(data=tmp_path / "data", fsync=fsync, topic_defaults={"segment.bytes": "100000"}) as broker:
        admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
        admin.create_topics([NewTopic("t", PARTITIONS)])["t"].result(10)
        acknowledged: list[set[int]] = [set() for _ in range(PARTITIONS)]
        failures: list[str] = []
        sent = [0] * PARTITIONS
        stop = threading.Event()

        def note(number: int, partition: int) -> object:
            def delivered(error: object, _: object) -> None:
                if error is None:
                    acknowledged[partition].add(number)
                else:
                    failures.append(str(error))

            return delivered

        def load() -> None:
            producer = Producer(
                {
                    "bootstrap.servers": broker.bootstrap_servers,
                    "enable.idempotence": True,
                    "linger.ms": 1,
                    "batch.num.messages": 50,
                    "reconnect.backoff.ms": 10,
                    "reconnect.backoff.max.ms": 50,
                    "retry.backoff.ms": 10,
                    "metadata.recovery.strategy": "none",  # saves the seconds that librdkafka gives a dead cluster
                    "log_level": 0,
                }
            )
            while not stop.is_set():
                for partition in range(PARTITIONS):
                    for _ in range(20):
                        number = sent[partition]
                        producer.produce("t", str(number), partition=partition, on_delivery=note(number, partition))
                        sent[partition] += 1
                producer.poll(0.002)
            assert producer.flush(30) == 0

        thread = threading.Thread(target=load)
        thread.start()
        for kill in range(KILLS):
            goal = min(map(len, acknowledged)) + (1_000 if fsync == "never" else 200)
            wait_for(lambda goal=goal: min(map(len, acknowledged)) > goal, f"acknowledgements before kill {kill}")
            broker.kill()
            broker.restart()
        stop.set()
        thread.join()
        assert failures == []
        found = read_all(broker.bootstrap_servers, "t")
        for partition in range(PARTITIONS):
            assert found[partition] == list(range(sent[partition]))
            assert acknowledged[partition] == set(range(sent[partition]))


def test_producer_ids_are_not_given_out_twice_across_crashes(tmp_path: Path) -> None:
    from broker.log.producer_ids import BLOCK_SIZE, ProducerIds

    taken: list[int] = []
    for count in (3, BLOCK_SIZE + 1, 1):
        ids = ProducerIds(tmp_path / "ids", durable=False)
        ids.load()
        taken += [ids.take() for _ in range(count)]
    assert taken == sorted(set(taken))
