"""Kafka clients for the commands: they are quick to say that nobody is there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streams.cli.failures import CommandFailed
from streams.cluster.clients import REQUEST_TIMEOUT_S, kafka_logger, kafka_message
from streams.discovery import ENVIRONMENT_VARIABLE, BrokerLocation, answers_tcp
from streams.settings_file import BROKER_TABLE, PREFIX, find_settings_file

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
    properties = location.client_properties(_properties_set(os.environ, Path.cwd()))
    own = {"bootstrap.servers": location.bootstrap_servers, "socket.connection.setup.timeout.ms": 5000}
    return {**properties, **own}


def _properties_set(environ: Mapping[str, str], directory: Path) -> Mapping[str, Any]:
    """What the settings have for clients. Checking them takes longer than what most commands are for, and is left out
    where nothing is set but where the broker is."""
    named = {name for name in environ if name.upper().startswith(PREFIX)} - {ENVIRONMENT_VARIABLE}
    file = find_settings_file(environ, directory)
    if not named and (file is None or file.values.keys() <= {"bootstrap_servers", BROKER_TABLE}):
        return {}
    from streams.settings import application_settings

    return application_settings("headrace-command", {}).client_config


def wire_client(location: BrokerLocation) -> WireClient:
    """For what librdkafka does not offer. Raises ConfigError, WireError."""
    from streams.wire.client import Client

    return Client.of({"client.id": "headrace-command", **client_config(location)})
