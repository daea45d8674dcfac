"""Finds servers: any of the bootstrap addresses, and through it the coordinator of a group."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from kio.schema.errors import ErrorCode
from msgspec import Struct, field

from streams.wire.address import Address, parse_addresses
from streams.wire.connection import Connection
from streams.wire.errors import ConnectionFailedError, RefusedError, WireError
from streams.wire.requests.find_coordinator import GROUP, FindCoordinator
from streams.wire.security import Security


class Client(Struct, frozen=True, kw_only=True):
    """Where the cluster is and how to connect to it. It holds no connection itself, so threads may share it."""

    bootstrap: tuple[Address, ...]
    client_id: str
    security: Security = field(default_factory=Security)
    connect_timeout_s: float = 5.0
    request_timeout_s: float = 10.0
    clock: Callable[[], float] = time.monotonic

    @classmethod
    def of(cls, properties: Mapping[str, Any]) -> Client:
        """As a client with these librdkafka properties. Raises ConfigError."""
        return cls(
            bootstrap=parse_addresses(properties["bootstrap.servers"]),
            client_id=str(properties.get("client.id", "headrace")),
            security=Security.from_client_config(properties),
        )

    def connect(self, address: Address) -> Connection:
        """Raises WireError."""
        return Connection.open(
            address,
            client_id=self.client_id,
            security=self.security,
            timeout_s=self.connect_timeout_s,
            clock=self.clock,
        )

    def connect_any(self) -> Connection:
        """A connection to the first bootstrap address that answers.

        Raises:
            WireError: none does; the error is the last one's, unless an earlier one was not about reaching a server.
        """
        failure: WireError | None = None
        for address in self.bootstrap:
            try:
                return self.connect(address)
            except WireError as error:
                if failure is None or isinstance(failure, ConnectionFailedError):
                    failure = error
        assert failure is not None, "a client has at least one bootstrap address"
        raise failure

    def connect_coordinator(self, key: str, kind: int = GROUP) -> Connection:
        """A connection to the coordinator of a group, or of a transactional id (kind `TRANSACTION`).

        Raises:
            RefusedError: there is none yet (retriable), or it may not be used.
            WireError: it cannot be reached.
        """
        connection = self.connect_any()
        try:
            address = self.find_coordinator(connection, key, kind)
            if address == connection.address:
                return connection
        except BaseException:
            connection.close()
            raise
        connection.close()
        return self.connect(address)

    def find_coordinator(self, connection: Connection, key: str, kind: int = GROUP) -> Address:
        """Where the coordinator is, as the server of this connection says. Raises as `connect_coordinator`."""
        found = connection.call(FindCoordinator(key=key, kind=kind), timeout_s=self.request_timeout_s)
        if found.address is None or found.error != ErrorCode.none:
            detail = found.message
            if found.error == ErrorCode.group_authorization_failed:
                detail = f"this user may not use the group {key!r}: allow it to read and describe the group"
            raise RefusedError(found.error, api=FindCoordinator.api.name, detail=detail)
        return found.address
