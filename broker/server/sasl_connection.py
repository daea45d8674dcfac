"""A connection that has to authenticate: until it has, it finds three APIs and room for small requests only."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from kio.schema.errors import ErrorCode

from broker.protocol.api_keys import ApiKey
from broker.security.authentication import Authentication, Phase
from broker.server.connection import LOG, SMALLEST_REQUEST, Answer, Connection, size_struct

if TYPE_CHECKING:
    from broker.server.accepting import Accepting
    from broker.server.server import Server

GATE: Final = (ApiKey.SASL_HANDSHAKE, ApiKey.API_VERSIONS, ApiKey.SASL_AUTHENTICATE)
MAX_GATE_REQUEST_BYTES = 524_288
"""`sasl.server.max.receive.size`."""


class SaslConnection(Connection):
    """The gate is another table of handlers, so that requests behind it cost nothing more."""

    def __init__(self, server: Server, accepting: Accepting) -> None:
        super().__init__(server, accepting)
        assert accepting.mechanisms is not None
        self.sasl = self.authentication = Authentication(accepting.mechanisms.by_name, accepting.sasl.max_reauth_ms)
        self.gate = accepting.gate
        self.session_end: asyncio.TimerHandle | None = None
        self.expired = False
        self.shut_gate()

    def shut_gate(self) -> None:
        self.table = self.gate
        self.operations = self.gate.operations
        self.max_request_bytes = min(MAX_GATE_REQUEST_BYTES, self.state.options.max_request_bytes)

    def open_gate(self) -> None:
        self.table = self.server.table
        self.operations = self.table.operations
        self.max_request_bytes = self.state.options.max_request_bytes

    def connection_lost(self, exc: Exception | None) -> None:
        if self.session_end is not None:
            self.session_end.cancel()
        super().connection_lost(exc)

    def handle_unknown(self, key: int, version: int, correlation_id: int) -> None:
        if self.table is self.gate and self.server.table.operation(key, version) is not None:
            when = "after its session had expired" if self.expired else "before it had authenticated"
            self.close(f"asked for {ApiKey(key).name} {when}")
            return
        super().handle_unknown(key, version, correlation_id)

    def take_result(self, answer: Answer, result: Any) -> None:
        super().take_result(answer, result)
        if answer.operation.api.key == ApiKey.SASL_HANDSHAKE:
            self.follow_handshake()
        elif answer.operation.api.key == ApiKey.SASL_AUTHENTICATE:
            self.follow_token()

    def follow_handshake(self) -> None:
        """What the handshake that was answered means for the connection."""
        if self.sasl.phase is Phase.FAILED:
            self.close_after_answer()
        elif self.sasl.phase is Phase.TOKENS:
            self.shut_gate()
            self.smallest_request = 0 if self.sasl.bare_tokens else SMALLEST_REQUEST

    def follow_token(self) -> None:
        """What the token that was answered means for the connection."""
        if self.sasl.phase is Phase.FAILED:
            self.close_after_answer()
        elif self.sasl.phase is Phase.DONE:
            self.principal = self.sasl.principal
            self.expired = False
            self.smallest_request = SMALLEST_REQUEST
            self.open_gate()
            self.begin_session(self.sasl.session_lifetime_ms)

    def close_after_answer(self) -> None:
        """Hangs up when what was written is on its way, and says in the broker's log why."""
        LOG.warning("closing the connection of %s: it %s", self.client_host, self.sasl.failure)
        self.closed = True
        self.transport.close()

    def begin_session(self, lifetime_ms: int) -> None:
        if self.session_end is not None:
            self.session_end.cancel()
            self.session_end = None
        if lifetime_ms:
            self.session_end = self.server.loop.call_later(lifetime_ms / 1000, self.expire)

    def expire(self) -> None:
        """The connection may be idle; only what it asks for from now on gets it closed, as in Kafka."""
        self.expired = True
        self.shut_gate()

    # -- tokens without requests around them ---------------------------------------------------------------------------
    def handle_frame(self, frame: memoryview) -> None:
        if not self.sasl.bare_tokens:
            super().handle_frame(frame)
            return
        step = self.sasl.token(bytes(frame[4:]), self.server.clock())
        if step.error is ErrorCode.none:
            self.transport.write(size_struct.pack(len(step.token)) + step.token)
            self.follow_token()
        else:
            # There is no form for an error: the client sees the connection end, but not at once.
            LOG.warning("closing the connection of %s: it %s", self.client_host, self.sasl.failure)
            self.closed = True
            self.transport.pause_reading()
            delay_s = self.state.options.failed_authentication_delay_ms / 1000
            self.server.loop.call_later(delay_s, self.transport.abort)
