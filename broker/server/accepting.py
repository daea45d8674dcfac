"""A listener at work: its socket, and what its connections are made with."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from broker.errors import BrokerError
from broker.handlers.table import HandlerTable
from broker.options import BrokerOptions
from broker.security.principal import ANONYMOUS, Principal
from broker.server.binding import bind
from broker.server.connection import Connection
from broker.server.listener import PROTOCOLS, Endpoint, Listener, SecurityProtocol

if TYPE_CHECKING:
    import ssl

    from broker.security.mechanisms import Mechanisms
    from broker.security.principal_mapping import PrincipalMapping
    from broker.security.sasl import Sasl
    from broker.security.tls import Tls
    from broker.server.server import Server
    from broker.server.tls_acceptor import TlsAcceptor

LOG = logging.getLogger("broker.server")
BACKLOG = 1_024
WILDCARDS = ("", "0.0.0.0", "::")


def listeners_of(options: BrokerOptions) -> tuple[Listener, ...]:
    """The listeners asked for; without any, one on `host` and `port`, with TLS and SASL where the broker has them.

    Raises BrokerError.
    """
    listeners = options.listeners or (
        Listener(
            host=options.host,
            port=options.port,
            protocol=protocol_for(options),
            advertised_host=options.advertised_host,
            advertised_port=options.advertised_port,
        ),
    )
    titles = [listener.title for listener in listeners]
    for listener in listeners:
        if listener.protocol not in PROTOCOLS:
            raise BrokerError(
                f"protocol {listener.protocol!r} of listener {listener.title} is none of {', '.join(PROTOCOLS)}"
            )
        if titles.count(listener.title) > 1:
            raise BrokerError(f"two listeners are called {listener.title}: give each a name of its own")
        if listener.has_tls and (listener.tls or options.tls) is None:
            raise BrokerError(f"listener {listener.title} speaks TLS but has no certificate: give it or the broker tls")
        if listener.has_sasl and (listener.sasl or options.sasl) is None:
            raise BrokerError(f"listener {listener.title} has SASL but no users: give it or the broker sasl")
    return listeners


def protocol_for(options: BrokerOptions) -> SecurityProtocol:
    """Of the only listener: whoever gives a certificate or users means them to count."""
    if options.sasl is None:
        return "PLAINTEXT" if options.tls is None else "SSL"
    return "SASL_PLAINTEXT" if options.tls is None else "SASL_SSL"


def bind_all(options: BrokerOptions) -> tuple[Accepting, ...]:
    """Listeners bound and with their certificates read, all or none. Raises BrokerError."""
    bound: list[Accepting] = []
    try:
        for listener in listeners_of(options):
            bound.append(Accepting(listener, options))
    except BaseException:
        close_all(bound)
        raise
    return tuple(bound)


def close_all(listeners: Iterable[Accepting]) -> None:
    for listener in listeners:
        listener.close()


class Accepting:
    """Bound at once; accepts from `start` to `close`. Raises BrokerError."""

    gate: HandlerTable
    """What a client finds before it has authenticated; there with SASL only."""

    def __init__(self, listener: Listener, options: BrokerOptions) -> None:
        self.listener = listener
        self.sasl = cast("Sasl", (listener.sasl or options.sasl) if listener.has_sasl else None)
        """There with SASL only."""
        self.mechanisms: Mechanisms | None = None
        self.mapping: PrincipalMapping | None = None
        """Where certificates name the clients: with TLS without SASL."""
        self.context: ssl.SSLContext | None = None
        tls = listener.tls or options.tls
        if listener.has_tls:
            assert tls is not None
            self.context = tls.context()
            if not listener.has_sasl:
                from broker.security.principal_mapping import PrincipalMapping

                self.mapping = PrincipalMapping(tls.principal_mapping_rules)
        self.acceptor: asyncio.Server | TlsAcceptor | None = None
        self.socket = bind(listener.host, listener.port, "--port" if not listener.name else f"port of {listener.name}")
        host, port = self.address
        self.endpoint = Endpoint(
            listener.title,
            listener.protocol,
            listener.advertised_host or ("127.0.0.1" if host in WILDCARDS else host),
            listener.advertised_port or port,
        )
        self.warn(tls)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port listened on."""
        host, port = self.socket.getsockname()[:2]
        return host, port

    def warn(self, tls: Tls | None) -> None:
        """Says what is dangerous, once."""
        host, port = self.address
        if host.startswith("127.") or host == "::1":
            return
        listener = self.listener
        by_certificate = self.mapping is not None and tls is not None and tls.client_authentication == "required"
        if not listener.has_sasl and not by_certificate:
            LOG.warning(
                "listener %s on %s:%d is open to the network without authentication: whoever reaches it can read and "
                "change everything; listen on 127.0.0.1, or use SASL or client certificates",
                listener.title,
                host,
                port,
            )
        elif not listener.has_tls:
            LOG.warning(
                "listener %s on %s:%d is open to the network without TLS: records, and passwords with PLAIN, can be "
                "read on the way; use SASL_SSL",
                listener.title,
                host,
                port,
            )

    async def prepare(self, server: Server) -> None:
        """Everything but accepting. Raises BrokerError."""
        if self.listener.has_sasl:
            from broker.security.mechanisms import Mechanisms
            from broker.server.sasl_connection import GATE

            self.gate = HandlerTable(GATE)
            self.mechanisms = Mechanisms(self.sasl, server.state.scram_credentials, server.clock, self.listener.title)
            await self.mechanisms.start()

    async def start(self, server: Server) -> None:
        def connection() -> Connection:
            return Connection(server, self)

        factory = connection
        if self.listener.has_sasl:
            from broker.server.sasl_connection import SaslConnection

            factory = lambda: SaslConnection(server, self)  # noqa: E731
        if self.context is None:
            self.acceptor = await server.loop.create_server(factory, sock=self.socket, backlog=BACKLOG)
        else:
            from broker.server.tls_acceptor import TlsAcceptor

            self.acceptor = TlsAcceptor(self.socket, self.context, factory, self.listener.title)
            self.acceptor.start(BACKLOG)

    def identify(self, transport: asyncio.BaseTransport) -> Principal:
        """Who is at the other end, as far as TLS knows. Raises NoPrincipalError, ValueError."""
        assert self.mapping is not None
        certificate: bytes | None = transport.get_extra_info("ssl_object").getpeercert(True)
        if certificate is None:
            return ANONYMOUS
        from broker.security.distinguished_name import subject_of

        return Principal("User", self.mapping.name(subject_of(certificate)))

    def close(self) -> None:
        """Accepts no more."""
        if self.acceptor is None:
            self.socket.close()
        else:
            self.acceptor.close()

    async def finish(self) -> None:
        """Ends what goes on in the background."""
        if self.mechanisms is not None:
            await self.mechanisms.close()
