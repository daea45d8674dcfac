"""Whether keys lie where Kafka's partitioner puts them.

Joins and queries look for a key in the partition that murmur2 gives it. librdkafka's default is CRC-32, and so is that
of most clients made of it (Go, .NET, Python): records of such a producer meet nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from streams.cli.checkup.finding import Finding
from streams.cli.clients import consumer
from streams.cluster.partitions import offset_ranges
from streams.partitioner import partition_for_key

if TYPE_CHECKING:
    from confluent_kafka import Consumer

    from streams.discovery import BrokerLocation
    from streams.plan.plan import Plan

SAMPLE = 200
"""Of each partition the newest so many records are looked at."""
READ_S = 5.0


def check_partitioning(location: BrokerLocation, plan: Plan, counts: dict[str, int]) -> Iterator[Finding]:
    """The application's inputs, as far as they exist and have several partitions."""
    paired = {topic for group in plan.copartitioned for topic in group.topics}
    client = consumer(location)
    try:
        for topic in plan.source_topics():
            if topic not in counts:
                yield Finding("failure", "inputs", f"topic {topic!r} does not exist", f"headrace topics create {topic}")
            elif counts[topic] > 1:
                yield _judge(topic, *_misplaced(client, topic, counts[topic]), joined=topic in paired)
    finally:
        client.close()


def _judge(topic: str, misplaced: int, keys: int, *, joined: bool) -> Finding:
    if not misplaced:
        return Finding("ok", "inputs", f"{topic}: {keys} sampled keys lie where Kafka's partitioner puts them")
    return Finding(
        "failure" if joined else "warning",
        "inputs",
        f"{topic}: {misplaced} of {keys} sampled keys do not lie where Kafka's partitioner puts them; "
        + ("the join finds nothing for them" if joined else "joins and queries by key would not find them"),
        "have its producer use murmur2 (librdkafka: partitioner=murmur2_random), or repartition() the stream",
    )


def _misplaced(client: Consumer, topic: str, partitions: int) -> tuple[int, int]:
    """Of the newest records with a key: how many lie elsewhere, and how many there are."""
    from confluent_kafka import TopicPartition

    ranges = offset_ranges(client, topic, list(range(partitions)))
    open_ends = {p: high for p, (low, high) in ranges.items() if high > low}
    client.assign([TopicPartition(topic, p, max(ranges[p][0], ranges[p][1] - SAMPLE)) for p in open_ends])
    misplaced = keys = 0
    while open_ends:
        message = client.poll(READ_S)
        if message is None:
            break
        partition, key = message.partition() or 0, message.key()
        if message.error() is not None or (message.offset() or 0) + 1 >= open_ends.get(partition, 0):
            open_ends.pop(partition, None)  # its end: the last record, or the word that there is none
        if message.error() is None and isinstance(key, bytes):
            keys += 1
            misplaced += partition_for_key(key, partitions) != partition
    client.unassign()
    return misplaced, keys
