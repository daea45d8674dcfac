"""What a handler knows about the request it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from broker.security.authentication import Authentication
    from broker.security.operation import AclOperation
    from broker.security.principal import Principal
    from broker.security.resource import ResourceType
    from broker.server.listener import Endpoint
    from broker.state import BrokerState


class RequestContext:
    """One request. Plain slots class: one is made per request, on the hot path."""

    __slots__ = ("authentication", "broker", "client_host", "client_id", "endpoint", "principal", "version")

    def __init__(
        self,
        broker: BrokerState,
        version: int,
        client_id: str | None,
        client_host: str,
        principal: Principal,
        endpoint: Endpoint,
        authentication: Authentication | None = None,
    ) -> None:
        self.broker = broker
        self.version = version
        self.client_id = client_id
        self.client_host = client_host
        """As Kafka prints it: "/127.0.0.1"."""
        self.principal = principal
        self.endpoint = endpoint
        """Of the listener the request came by: what its client is to be told of this broker's address."""
        self.authentication = authentication
        """None where the listener does not ask for it."""

    def may(self, operation: AclOperation, resource_type: ResourceType, name: str, *, audited: bool = True) -> bool:
        """Whether who asks is allowed to. `audited`: it is asked for, and a refusal is worth a line in the log."""
        authorizer = self.broker.authorizer
        return authorizer is None or authorizer.allows(
            self.principal, self.client_host, operation, resource_type, name, audited=audited
        )

    def may_anywhere(self, operation: AclOperation, resource_type: ResourceType) -> bool:
        """Whether who asks is allowed to on some resource of the type, wherever that may be."""
        authorizer = self.broker.authorizer
        return authorizer is None or authorizer.allows_any(self.principal, self.client_host, operation, resource_type)
