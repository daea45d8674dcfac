"""What librdkafka says about the connection, told once and in words.

librdkafka reconnects for ever and repeats its complaints each time; people need the first, and to hear that it is over.
"""

from __future__ import annotations

import logging

from confluent_kafka import KafkaError

log = logging.getLogger(__name__)


class ClientLog:
    """librdkafka's own lines, all of them as debug messages: what people have to know of them reaches the worker as an
    error, and is said in its words."""

    def __init__(self) -> None:
        self._log = logging.getLogger("streams.runtime.librdkafka")

    def log(self, level: int, message: str, *arguments: object) -> None:
        """What confluent-kafka calls."""
        self._log.debug(message, *arguments)


client_log = ClientLog()

OUTAGES = frozenset(
    {
        KafkaError._ALL_BROKERS_DOWN,  # pyright: ignore[reportPrivateUsage]
        KafkaError._TRANSPORT,  # pyright: ignore[reportPrivateUsage]
        KafkaError._RESOLVE,  # pyright: ignore[reportPrivateUsage]
        KafkaError._TIMED_OUT,  # pyright: ignore[reportPrivateUsage]
    }
)


class ConnectionWatch:
    """Takes librdkafka's global errors. `fatal` keeps the first one after which the client is of no use."""

    def __init__(self, bootstrap_servers: str, role: str) -> None:
        self.fatal: KafkaError | None = None
        self._bootstrap_servers = bootstrap_servers
        self._role = role
        self._down = False

    def renewed(self) -> ConnectionWatch:
        """For the client that takes the place of one that has come to its end."""
        return ConnectionWatch(self._bootstrap_servers, self._role)

    def on_error(self, error: KafkaError) -> None:
        """librdkafka's `error_cb`; called within poll, consume and flush."""
        if error.fatal():
            if self.fatal is None:
                self.fatal = error
        elif error.code() == KafkaError._ALL_BROKERS_DOWN:  # pyright: ignore[reportPrivateUsage]
            if not self._down:
                self._down = True
                log.warning(
                    "broker_unreachable: the %s has lost %s and keeps trying", self._role, self._bootstrap_servers
                )
        elif error.code() in OUTAGES:
            log.debug("connection_trouble in the %s: %s", self._role, error)
        else:
            log.warning("client_error in the %s: %s", self._role, error)

    def alive(self) -> None:
        """The broker has answered."""
        if self._down:
            self._down = False
            log.info("broker_reachable: the %s is connected again", self._role)
