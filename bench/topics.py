"""Topics of the workloads: four partitions each, filled before anything is measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

PARTITIONS = 4

Row = tuple[str | bytes, bytes, int]
"""Key (text or its bytes), value, timestamp in ms."""


def create_topic(bootstrap_servers: str, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 0})
    admin.create_topics([NewTopic(topic, PARTITIONS, 1, config={"retention.ms": "-1"})])[topic].result(20)


def delete_topics(bootstrap_servers: str, part: str) -> None:
    """Deletes all topics with this in their names: what a run wrote, its changelogs and repartition topics included."""
    admin = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 0})
    names = [name for name in admin.list_topics(timeout=20).topics if part in name]
    for deleted in admin.delete_topics(names, operation_timeout=20).values() if names else ():
        deleted.result(30)


def fill_all(bootstrap_servers: str, prefix: str, topics: Mapping[str, Iterable[Row]]) -> dict[str, int]:
    """Creates a topic `prefix-name` for each name and writes its rows; topic -> number of rows, in the order given."""
    return {(topic := f"{prefix}-{name}"): fill(bootstrap_servers, topic, rows) for name, rows in topics.items()}


def fill(bootstrap_servers: str, topic: str, rows: Iterable[Row]) -> int:
    """Creates the topic and writes the rows, by Kafka's partitioner; returns how many there are."""
    create_topic(bootstrap_servers, topic)
    producer = Producer(
        {
            "bootstrap.servers": bootstrap_servers,
            "partitioner": "murmur2_random",
            "enable.idempotence": True,  # keeps the order where a partition has no leader yet and is tried again
            "linger.ms": 50,
            "queue.buffering.max.messages": 2_000_000,
        }
    )
    i = -1
    for i, (key, value, timestamp) in enumerate(rows):
        producer.produce(topic, value, key, timestamp=timestamp)
        if i % 10_000 == 0:
            producer.poll(0)
        while len(producer) > 1_000_000:
            producer.poll(0.1)
    if producer.flush(120):
        raise RuntimeError("the broker did not take all records")
    return i + 1
