"""The demo's topics: created with settings that keep everything, or found as an earlier run left them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from streams.demo.flight_delays import OUTPUT_TOPIC
from streams.demo.loader import AIRPORTS_TOPIC, FLIGHTS_TOPIC
from streams.errors import ConfigError

if TYPE_CHECKING:
    from confluent_kafka import Consumer

TIMEOUT_S = 10.0
KEEP_ALL = {"retention.ms": "-1", "segment.ms": str(365 * 86_400_000)}
"""Retention goes by the wall clock and would delete the flights of 2001 at its first look. Segments are cut by the time
in the records, every seven days unless told otherwise, and the demo puts half a year into a second."""

CONFIGS = {
    FLIGHTS_TOPIC: KEEP_ALL,
    AIRPORTS_TOPIC: {"cleanup.policy": "compact"},
    OUTPUT_TOPIC: KEEP_ALL,
}


class TopicAdmin(Protocol):
    """The admin calls the demo needs."""

    def partition_counts(self) -> dict[str, int]: ...
    def create_topic(self, name: str, *, partitions: int, configs: Mapping[str, str] | None = None) -> None: ...


def create_topics(admin: TopicAdmin, *, partitions: int) -> None:
    """Creates what is missing.

    Raises:
        ConfigError: a topic is there with another number of partitions.
    """
    existing = admin.partition_counts()
    for name, configs in CONFIGS.items():
        if name not in existing:
            admin.create_topic(name, partitions=partitions, configs=configs)
        elif existing[name] != partitions:
            raise ConfigError(
                f"topic {name!r} has {existing[name]} partitions, not {partitions}: "
                "use the same --partitions as before, --fresh, or another --dir"
            )


def record_counts(client: Consumer, topic: str, *, partitions: int) -> list[int]:
    """How many records each partition has been given."""
    from confluent_kafka import TopicPartition

    ends = [client.get_watermark_offsets(TopicPartition(topic, p), timeout=TIMEOUT_S) for p in range(partitions)]
    return [high for _, high in ends]
