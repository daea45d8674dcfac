"""Kafka clients for the commands: they are quick to say that nobody is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from streams.cli.failures import CommandFailed
from streams.cluster.clients import REQUEST_TIMEOUT_S, kafka_logger, kafka_message
from streams.discovery import BrokerLocation, answers_tcp

if TYPE_CHECKING:
    from confluent_kafka import Consumer, Producer

    from streams.cluster.admin import Admin
    from streams.wire.client import Client as WireClient


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


def admin_at(location: BrokerLocation) -> Admin:
    from streams.cluster.admin import Admin

    require_broker(location)
    return Admin(client_config(location))


def producer(location: BrokerLocation, **config: Any) -> Producer:
    """See `cluster.clients.producer`."""
    from streams.cluster import clients

    require_broker(location)
    return clients.producer(client_config(location), **config)


def consumer(location: BrokerLocation, group: str = "headrace-command", **config: Any) -> Consumer:
    """See `cluster.clients.consumer`."""
    from streams.cluster import clients

    require_broker(location)
    return clients.consumer(client_config(location), group, **config)


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
