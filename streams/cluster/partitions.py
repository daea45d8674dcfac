"""The partitions of a topic, and which offsets each of them has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from streams.cluster.clients import REQUEST_TIMEOUT_S
from streams.cluster.errors import UnknownTopicError
from streams.cluster.topic_names import near_topic, topic_names

if TYPE_CHECKING:
    from confluent_kafka import Consumer

NAME = re.compile(r"[a-zA-Z0-9._-]{1,249}")
"""Of topics; librdkafka fails in ways of its own on some others. Source: Kafka's `Topic.validate`."""


def partition_ids(client: Consumer, topic: str) -> list[int]:
    """The topic's partitions, in order. Raises UnknownTopicError."""
    if NAME.fullmatch(topic) is None:
        raise UnknownTopicError(topic, "no topic can have that name")
    metadata = client.list_topics(topic, timeout=REQUEST_TIMEOUT_S).topics[topic]
    if metadata.error is not None:
        raise UnknownTopicError(topic, metadata.error.str(), near_topic(topic, topic_names(client) - {topic}))
    return sorted(metadata.partitions)


def offset_ranges(client: Consumer, topic: str, partitions: list[int]) -> dict[int, tuple[int, int]]:
    """First offset kept and next offset to be written, by partition."""
    from confluent_kafka import TopicPartition

    return {p: client.get_watermark_offsets(TopicPartition(topic, p), timeout=REQUEST_TIMEOUT_S) for p in partitions}
