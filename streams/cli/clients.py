"""Kafka clients for the commands: quiet, quick to say that nobody is there, with Kafka's own partitioner."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from streams.cli.failures import CommandFailed, kafka_message
from streams.discovery import BrokerLocation, answers_tcp

if TYPE_CHECKING:
    from confluent_kafka import Consumer, Producer

    from streams.wire.client import Client as WireClient

REQUEST_TIMEOUT_S = 10.0
PARTITIONER = "murmur2_random"
"""Kafka's: murmur2 of the key; records without a key go anywhere."""


def require_broker(location: BrokerLocation) -> None:
    """Raises CommandFailed unless somebody listens there, and ConfigError where he does not let us in: librdkafka
    itself would try on for minutes."""
    if not answers_tcp(location.bootstrap_servers):
        raise CommandFailed(
            f"no broker answers at {location.bootstrap_servers} ({location.describe()}); "
            "start one with `headrace broker` or `headrace dev MODULE:app`"
        )
    properties = client_config(location)
    if str(properties.get("security.protocol", "plaintext")).lower() != "plaintext":
        require_access(properties, location)


def require_access(properties: dict[str, Any], location: BrokerLocation) -> None:
    """Raises ConfigError unless the broker lets a client in that comes with these properties."""
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    from streams.runtime.access import AccessWatch, check_credentials, cluster_metadata

    check_credentials(properties, location.bootstrap_servers)
    access = AccessWatch(location.bootstrap_servers)
    config: dict[str, Any] = {**properties, "error_cb": access.on_error}
    admin = AdminClient(config, logger=kafka_logger())
    try:
        cluster_metadata(admin, access, REQUEST_TIMEOUT_S)
    except KafkaException as error:
        raise CommandFailed(
            f"the broker at {location.bootstrap_servers} ({location.describe()}) gives no answer: "
            f"{kafka_message(error)}; is security.protocol={properties['security.protocol']} what it speaks?"
        ) from error


def producer(location: BrokerLocation, **config: Any) -> Producer:
    """A producer that partitions as Kafka's own do; idempotent, so a retry never doubles a record."""
    from confluent_kafka import Producer

    require_broker(location)
    settings = {"partitioner": PARTITIONER, "enable.idempotence": True, **config}
    return Producer(client_config(location) | settings, logger=kafka_logger())


def consumer(location: BrokerLocation, group: str = "headrace-command", **config: Any) -> Consumer:
    """A consumer for `assign()`: it joins no group and commits nothing."""
    from confluent_kafka import Consumer

    require_broker(location)
    settings: dict[str, Any] = {
        "group.id": group,
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "earliest",
        "fetch.queue.backoff.ms": 10,
        **config,
    }
    return Consumer(client_config(location) | settings, logger=kafka_logger())


def partition_ids(client: Consumer, topic: str) -> list[int]:
    """The topic's partitions, in order. Raises CommandFailed if there is no such topic."""
    metadata = client.list_topics(topic, timeout=REQUEST_TIMEOUT_S).topics[topic]
    if metadata.error is not None:
        raise CommandFailed(f"topic {topic!r}: {metadata.error.str()}; `headrace topics` lists those there are")
    return sorted(metadata.partitions)


def offset_ranges(client: Consumer, topic: str, partitions: list[int]) -> dict[int, tuple[int, int]]:
    """First offset kept and next offset to be written, by partition."""
    from confluent_kafka import TopicPartition

    return {p: client.get_watermark_offsets(TopicPartition(topic, p), timeout=REQUEST_TIMEOUT_S) for p in partitions}


def client_config(location: BrokerLocation) -> dict[str, Any]:
    """The properties that the environment and the settings file have for every client, without an application's own."""
    from streams.settings import application_settings

    properties = location.client_properties(application_settings("headrace-command", {}).client_config)
    own = {"bootstrap.servers": location.bootstrap_servers, "socket.connection.setup.timeout.ms": 5000}
    return {**properties, **own}


def wire_client(location: BrokerLocation) -> WireClient:
    """For what librdkafka does not offer. Raises ConfigError, WireError."""
    from streams.wire.address import parse_addresses
    from streams.wire.client import Client
    from streams.wire.security import Security

    return Client(
        bootstrap=parse_addresses(location.bootstrap_servers),
        client_id="headrace-command",
        security=Security.from_client_config(client_config(location)),
    )


def kafka_logger() -> logging.Logger:
    """librdkafka writes to stderr unless given a logger; what matters comes back as an error anyway."""
    logger = logging.getLogger("headrace.librdkafka")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    return logger
