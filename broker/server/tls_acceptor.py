"""Accepts connections of a TLS listener. The handshake is done here, so that the log can say why one failed.

A handshake that takes too long, or fails, costs its own connection alone.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable

LOG = logging.getLogger("broker.server")
HANDSHAKE_TIMEOUT_S = 10.0
MAX_HANDSHAKES = 512
"""At a time; who comes then waits in the socket's backlog."""
RETRY_S = 0.1
"""After accept has failed, mostly for want of file descriptors."""
REASONS = {
    "WRONG_VERSION_NUMBER": "it does not speak TLS, and the listener does: set security.protocol=ssl or sasl_ssl",
    "HTTP_REQUEST": "it speaks HTTP",
    "HTTPS_PROXY_REQUEST": "it speaks HTTP",
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "it showed no certificate, and the listener requires one",
    "CERTIFICATE_VERIFY_FAILED": "its certificate is not to be believed",
    "UNSUPPORTED_PROTOCOL": "its TLS version is too old",
    "NO_SHARED_CIPHER": "it has no cipher in common with this broker",
    "TLSV1_ALERT_UNKNOWN_CA": "it does not believe the broker's certificate (unknown authority)",
    "SSLV3_ALERT_BAD_CERTIFICATE": "it does not believe the broker's certificate",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "it does not believe the broker's certificate",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "the broker's certificate has expired for it",
}
"""By OpenSSL's name of what went wrong."""


class TlsAcceptor:
    """Serves from `start` to `close`; connections that are made by then go on."""

    def __init__(
        self,
        listening: socket.socket,
        context: ssl.SSLContext,
        factory: Callable[[], asyncio.BaseProtocol],
        name: str,
    ) -> None:
        self._listening = listening
        self._context = context
        self._factory = factory
        self._name = name
        self._loop = asyncio.get_running_loop()
        self._handshakes: set[asyncio.Task[None]] = set()
        self._accepting = False
        self._closed = False

    def start(self, backlog: int) -> None:
        self._listening.listen(backlog)
        self._accept_more()

    def close(self) -> None:
        self._closed = True
        self._accept_no_more()
        self._listening.close()
        for task in self._handshakes:
            task.cancel()

    def _accept_more(self) -> None:
        if not self._accepting and not self._closed:
            self._accepting = True
            self._loop.add_reader(self._listening, self._accept)

    def _accept_no_more(self) -> None:
        if self._accepting:
            self._accepting = False
            self._loop.remove_reader(self._listening)

    def _accept(self) -> None:
        try:
            connection, address = self._listening.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError as error:
            LOG.error("cannot accept connections on listener %s: %s", self._name, error)
            self._accept_no_more()
            self._loop.call_later(RETRY_S, self._accept_more)
            return
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        task = self._loop.create_task(self._shake_hands(connection, f"/{address[0]}"))
        self._handshakes.add(task)
        task.add_done_callback(self._shaken)
        if len(self._handshakes) >= MAX_HANDSHAKES:
            self._accept_no_more()

    def _shaken(self, task: asyncio.Task[None]) -> None:
        self._handshakes.discard(task)
        self._accept_more()

    async def _shake_hands(self, connection: socket.socket, host: str) -> None:
        try:
            await self._loop.connect_accepted_socket(
                self._factory, connection, ssl=self._context, ssl_handshake_timeout=HANDSHAKE_TIMEOUT_S
            )
        except OSError as error:
            connection.close()
            LOG.warning("closing the connection of %s to TLS listener %s: %s", host, self._name, explained(error))


def explained(error: OSError) -> str:
    """What a handshake failed of, in words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not to be believed: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return REASONS.get(error.reason or "", f"the TLS handshake failed: {error.reason or error}")
    if isinstance(error, ConnectionAbortedError | TimeoutError):
        return f"no TLS handshake within {HANDSHAKE_TIMEOUT_S:.0f} s"
    return "it hung up during the TLS handshake"
