"""A connection to a broker that is killed now and then."""

from __future__ import annotations

import time
from typing import Any

from broker import Broker
from tests.broker.groups.wire import WireClient

PATIENCE_S = 60.0


class BrokerDiedError(Exception):
    """The request has no answer: it may have been carried out, or not."""


class WireLine:
    """`WireClient`, made anew when the broker has died."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.client: WireClient | None = None
        self.deaths = 0
        """How often an answer was missed."""

    def ask(self, key: int, version: int, /, **values: Any) -> Any:
        """Raises BrokerDiedError; after it the broker can be asked again when it is back."""
        client = self.client or self.connect()
        try:
            return client.ask(key, version, **values)
        except ConnectionError as error:
            client.socket.close()
            self.client = None
            self.deaths += 1
            raise BrokerDiedError from error

    def insist(self, key: int, version: int, /, **values: Any) -> Any:
        """Asks until there is an answer."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return self.ask(key, version, **values)
            except BrokerDiedError:
                assert time.monotonic() < deadline, "the broker dies with each request"

    def connect(self) -> WireClient:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                self.client = WireClient(self.broker.bootstrap_servers)
            except ConnectionError:
                assert time.monotonic() < deadline, "the broker does not come back"
                time.sleep(0.005)
            else:
                return self.client

    def close(self) -> None:
        if self.client is not None:
            self.client.socket.close()
            self.client = None
