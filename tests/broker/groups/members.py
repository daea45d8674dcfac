"""A confluent-kafka consumer that remembers what happened to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from confluent_kafka import Consumer, Message, TopicPartition

FAST = {
    "heartbeat.interval.ms": 100,
    "session.timeout.ms": 6_000,
    "max.poll.interval.ms": 30_000,
    "auto.offset.reset": "earliest",
    "enable.auto.commit": False,
    "topic.metadata.refresh.interval.ms": 200,
    "fetch.wait.max.ms": 50,
    "partition.assignment.strategy": "range",
}


class GroupMember:
    """`owned` are its partitions of the topic, `moves` the rebalance callbacks it saw, `messages` what it read."""

    def __init__(self, bootstrap_servers: str, group: str, topic: str, **options: Any) -> None:
        settings = {"bootstrap.servers": bootstrap_servers, "group.id": group, **FAST}
        self.consumer = Consumer({**settings, **{key.replace("_", "."): value for key, value in options.items()}})
        self.cooperative = str(options.get("partition_assignment_strategy", "")).startswith("cooperative")
        self.moves: list[tuple[str, list[int]]] = []
        self.messages: list[Message] = []
        self.consumer.subscribe([topic], on_assign=self.on_assign, on_revoke=self.on_revoke, on_lost=self.on_lost)

    def on_assign(self, consumer: Consumer, partitions: Sequence[TopicPartition]) -> None:
        self.moves.append(("assigned", sorted(p.partition for p in partitions)))

    def on_revoke(self, consumer: Consumer, partitions: Sequence[TopicPartition]) -> None:
        self.moves.append(("revoked", sorted(p.partition for p in partitions)))

    def on_lost(self, consumer: Consumer, partitions: Sequence[TopicPartition]) -> None:
        self.moves.append(("lost", sorted(p.partition for p in partitions)))

    @property
    def owned(self) -> list[int]:
        return sorted(p.partition for p in self.consumer.assignment())

    def poll(self) -> None:
        """One short poll; keeps the message if there was one."""
        message = self.consumer.poll(0.05)
        if message is not None and message.error() is None:
            self.messages.append(message)

    def close(self) -> None:
        self.consumer.close()


def poll_all(*members: GroupMember) -> None:
    for member in members:
        member.poll()
