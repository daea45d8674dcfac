"""How the dashboard reaches the cluster: clients with the worker's own properties, made when they are first needed."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import Any

from confluent_kafka import Consumer, KafkaException, Producer

from streams.cluster import clients
from streams.cluster.admin import Admin, Place
from streams.cluster.clients import REQUEST_TIMEOUT_S, kafka_message
from streams.cluster.errors import ClusterError, UnknownTopicError
from streams.errors import ConfigError
from streams.query.problem import NotReady, Problem
from streams.runtime.access import check_credentials
from streams.runtime.options import WorkerOptions
from streams.wire.address import Address
from streams.wire.client import Client
from streams.wire.errors import WireError
from streams.wire.requests.describe_log_dirs import DescribeLogDirs

LITTLE_MEMORY: Mapping[str, Any] = {
    "queued.max.messages.kbytes": 4_096,
    "queued.min.messages": 500,
    "fetch.message.max.bytes": 262_144,
    "fetch.wait.max.ms": 100,
}
"""Of a consumer whose reader is a person: what it keeps ready of records is small."""


class UnknownTopic(Problem):
    """The cluster has no such topic."""

    status = 404
    reason = "unknown-topic"


class ClusterAccess:
    """Methods block, and may be called by any thread. Raises what `asking` turns into answers."""

    def __init__(self, options: WorkerOptions) -> None:
        self._options = options
        self._admin: Admin | None = None
        self._lock = Lock()

    @property
    def admin(self) -> Admin:
        with self._lock:
            if self._admin is None:
                self._admin = Admin(self._properties())
            return self._admin

    def forget(self) -> None:
        """The next question goes through a new client: one that was refused for its stale metadata never recovers."""
        with self._lock:
            self._admin = None

    def consumer(self, **config: Any) -> Consumer:
        """Of committed records, unless `config` says otherwise. To be closed by whoever asks for it."""
        settings = {"isolation.level": "read_committed", **LITTLE_MEMORY, **config}
        own = {**self._properties(), **self._options.consumer_config}
        return clients.consumer(own, self._options.application_id, **settings)

    def producer(self) -> Producer:
        return clients.producer({**self._properties(), "linger.ms": 0})

    def sizes(self) -> dict[Place, int]:
        """(topic, partition) -> bytes on the disks of all brokers together, replicas each by themselves; empty where
        the brokers do not say."""
        found: dict[Place, int] = {}
        client = Client.of(self._properties())
        try:
            for host, port in self.admin.nodes().values():
                connection = client.connect(Address(host, port))
                try:
                    answer = connection.call(DescribeLogDirs(), timeout_s=REQUEST_TIMEOUT_S)
                finally:
                    connection.close()
                for place, size in answer.items():
                    found[place] = found.get(place, 0) + size
        except WireError:
            return {}
        return found

    def _properties(self) -> dict[str, Any]:
        properties = self._options.client("dashboard")
        check_credentials(properties, self._options.bootstrap_servers)
        return properties


@contextmanager
def asking(cluster: ClusterAccess) -> Generator[None]:
    """What the cluster says in anger becomes an answer. Raises Problem."""
    try:
        yield
    except UnknownTopicError as error:
        raise UnknownTopic(f"there is no topic {error.topic!r}, or this application may not see it") from error
    except ClusterError as error:
        cluster.forget()
        raise NotReady("unreachable", str(error)) from error
    except KafkaException as error:
        cluster.forget()
        raise NotReady("unreachable", f"the cluster did not answer: {kafka_message(error)}") from error
    except ConfigError as error:
        raise Problem(str(error)) from error
