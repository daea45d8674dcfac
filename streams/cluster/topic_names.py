"""The names of a cluster's topics, and which of them somebody may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from typing import TYPE_CHECKING

from streams.cluster.clients import REQUEST_TIMEOUT_S

if TYPE_CHECKING:
    from confluent_kafka import Consumer, Producer

LIKENESS = 0.8
"""Of difflib, 0 to 1: slips of the finger are above it, names with a common part (`sales`, `final-sales`) below."""
ASKS_ONLY = {"allow.auto.create.topics": False}
"""The setting of a client that makes no topic by asking for it."""


def topic_exists(client: Producer, topic: str) -> bool:
    """Whether there is such a topic, as far as this user may see; of a client that is told `ASKS_ONLY`. All names,
    which `topic_names` gives, take long where there are many. Raises KafkaException if the broker gives no answer."""
    from confluent_kafka import KafkaError

    found = client.list_topics(topic, timeout=REQUEST_TIMEOUT_S).topics[topic].error
    return found is None or found.code() == KafkaError.LEADER_NOT_AVAILABLE


def topic_names(client: Consumer | Producer) -> frozenset[str]:
    """All topics that this user may see. Asked for by name, one that is not there could be created. Raises
    KafkaException if the broker gives no answer."""
    return frozenset(client.list_topics(timeout=REQUEST_TIMEOUT_S).topics)


def near_topic(topic: str, known: Collection[str]) -> str | None:
    """The topic of `known` with nearly this name; None if there is none."""
    return next(iter(difflib.get_close_matches(topic, sorted(known), n=1, cutoff=LIKENESS)), None)
