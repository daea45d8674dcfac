"""The events of W1 and W2: `{"user", "amount", "ts"}` keyed by user, one per millisecond."""

from __future__ import annotations

import random
from dataclasses import dataclass

import msgspec
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

PARTITIONS = 4
FIRST_TIMESTAMP = 1_700_000_000_000


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was loaded, and what the workloads must make of it."""

    topic: str
    events: int
    kept: int


def create_topic(bootstrap_servers: str, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap_servers})
    admin.create_topics([NewTopic(topic, PARTITIONS, 1, config={"retention.ms": "-1"})])[topic].result(20)


def load(bootstrap_servers: str, topic: str, events: int, users: int, seed: int = 7) -> Loaded:
    """Creates the topic and writes the events."""
    create_topic(bootstrap_servers, topic)
    producer = Producer(
        {
            "bootstrap.servers": bootstrap_servers,
            "partitioner": "murmur2_random",
            "linger.ms": 50,
            "queue.buffering.max.messages": 2_000_000,
        }
    )
    rng, encode, kept = random.Random(seed), msgspec.json.Encoder().encode, 0
    for i in range(events):
        user, amount = f"u{rng.randrange(users)}", round(rng.random() * 100, 2)
        kept += amount >= 50
        ts = FIRST_TIMESTAMP + i
        producer.produce(topic, encode({"user": user, "amount": amount, "ts": ts}), user, timestamp=ts)
        if i % 10_000 == 0:
            producer.poll(0)
    if producer.flush(60):
        raise RuntimeError("the broker did not take all events")
    return Loaded(topic, events, kept)
