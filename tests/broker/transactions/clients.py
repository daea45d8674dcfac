"""librdkafka's transactional producer and read_committed consumer, as they are."""

from __future__ import annotations

from collections.abc import Iterable

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Producer, TopicPartition

QUICK: dict[str, object] = {
    "reconnect.backoff.ms": 10,
    "reconnect.backoff.max.ms": 50,
    "retry.backoff.ms": 10,
    "retry.backoff.max.ms": 50,
    "metadata.recovery.strategy": "none",
    "log_level": 0,
}
"""A client that finds a restarted broker at once, and says nothing meanwhile."""


def producer(servers: str, transactional_id: str, **settings: object) -> Producer:
    """With an open session: its transactions can begin."""
    names = {key.replace("_", "."): value for key, value in settings.items()}
    client = Producer(
        {
            "bootstrap.servers": servers,
            "transactional.id": transactional_id,
            "linger.ms": 0,
            **QUICK,
            **names,
        }
    )
    client.init_transactions(20)
    return client


def write(client: Producer, topic: str, values: Iterable[object], partition: int = 0) -> None:
    """Produces within the open transaction, and waits until all is in the log."""
    for value in values:
        client.produce(topic, str(value), "k", partition=partition)
    assert client.flush(20) == 0


def read_all(servers: str, topic: str, partition: int = 0, *, committed: bool = True) -> list[str]:
    """The values that a consumer sees in a partition up to its end."""
    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": "none",
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 10,
            "isolation.level": "read_committed" if committed else "read_uncommitted",
            "check.crcs": True,
            **QUICK,
        }
    )
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING)])
    found: list[str] = []
    while True:
        message = consumer.poll(20)
        assert message is not None, "neither a record nor the end"
        error = message.error()
        if error is not None:
            assert error.code() == KafkaError._PARTITION_EOF, error
            consumer.close()
            return found
        value = message.value()
        assert value is not None
        found.append(value.decode())
