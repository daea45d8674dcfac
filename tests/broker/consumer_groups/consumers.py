"""A confluent-kafka consumer of the consumer group protocol that remembers what happened to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from confluent_kafka import Consumer, Message, TopicPartition


class ProtocolConsumer:
    """Client defaults, but for the protocol; `owned` are its partitions, `moves` its callbacks, `messages` what it
    read."""

    def __init__(self, servers: str, group: str, topic: str, **options: Any) -> None:
        self.consumer = Consumer(
            {
                "bootstrap.servers": servers,
                "group.id": group,
                "group.protocol": "consumer",
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                **{key.replace("_", "."): value for key, value in options.items()},
            }
        )
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

    @property
    def owned_topics(self) -> set[str]:
        return {p.topic for p in self.consumer.assignment()}

    def poll(self) -> None:
        """One short poll; keeps the message if there was one."""
        message = self.consumer.poll(0.02)
        if message is not None and message.error() is None:
            self.messages.append(message)

    def close(self) -> None:
        self.consumer.close()


def poll_all(*members: ProtocolConsumer) -> None:
    for member in members:
        member.poll()
