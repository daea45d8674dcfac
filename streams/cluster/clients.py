"""Kafka clients that look and write: quiet, with Kafka's own partitioner, members of no group."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from confluent_kafka import Consumer, Producer

REQUEST_TIMEOUT_S = 10.0
PARTITIONER = "murmur2_random"
"""Kafka's: murmur2 of the key; records without a key go anywhere."""


def producer(properties: Mapping[str, Any], **config: Any) -> Producer:
    """A producer that partitions as Kafka's own do; idempotent, so a retry never doubles a record."""
    from confluent_kafka import Producer

    settings = {"partitioner": PARTITIONER, "enable.idempotence": True, **config}
    return Producer({**properties, **settings}, logger=kafka_logger())


def consumer(properties: Mapping[str, Any], group: str, **config: Any) -> Consumer:
    """A consumer for `assign()`: it joins no group and commits nothing."""
    from confluent_kafka import Consumer

    settings: dict[str, Any] = {
        "group.id": group,
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "earliest",
        "fetch.queue.backoff.ms": 10,
        **config,
    }
    return Consumer({**properties, **settings}, logger=kafka_logger())


def kafka_logger() -> logging.Logger:
    """librdkafka writes to stderr unless given a logger; what matters comes back as an error anyway."""
    logger = logging.getLogger("headrace.librdkafka")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    return logger


def kafka_message(error: Exception) -> str:
    """The broker's or client's own words for a `KafkaException`, without the tuple around them."""
    inner: Any = error.args[0] if error.args else error
    text = inner.str() if hasattr(inner, "str") else str(inner)
    return str(text)
