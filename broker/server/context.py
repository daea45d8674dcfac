"""What a handler knows about the request it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from broker.security.principal import Principal
    from broker.state import BrokerState


class RequestContext:
    """One request. Plain slots class: one is made per request, on the hot path."""

    __slots__ = ("broker", "client_host", "client_id", "principal", "version")

    def __init__(
        self, broker: BrokerState, version: int, client_id: str | None, client_host: str, principal: Principal
    ) -> None:
        self.broker = broker
        self.version = version
        self.client_id = client_id
        self.client_host = client_host
        """As Kafka prints it: "/127.0.0.1"."""
        self.principal = principal
