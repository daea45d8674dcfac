"""Topics of the workloads: four partitions each, filled before anything is measured."""

from __future__ import annotations

from collections.abc import Iterable

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

PARTITIONS = 4

Row = tuple[str, bytes, int]
"""Key, value, timestamp."""


def create_topic(bootstrap_servers: str, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap_servers})
    admin.create_topics([NewTopic(topic, PARTITIONS, 1, config={"retention.ms": "-1"})])[topic].result(20)


def fill(bootstrap_servers: str, topic: str, rows: Iterable[Row]) -> None:
    """Creates the topic and writes the rows, by Kafka's partitioner."""
    create_topic(bootstrap_servers, topic)
    producer = Producer(
        {
            "bootstrap.servers": bootstrap_servers,
            "partitioner": "murmur2_random",
            "linger.ms": 50,
            "queue.buffering.max.messages": 2_000_000,
        }
    )
    for i, (key, value, timestamp) in enumerate(rows):
        producer.produce(topic, value, key, timestamp=timestamp)
        if i % 10_000 == 0:
            producer.poll(0)
    if producer.flush(60):
        raise RuntimeError("the broker did not take all records")
