"""A blocking connection to one server: TCP, TLS and SASL as wanted, versions negotiated, requests answered in order.

    open ──► TCP ──► TLS? ──► ApiVersions ──► SASL? ──► usable ──► closed

It belongs to one thread at a time. Whatever goes wrong closes it: an answer that came late would be taken for the next
one's. Reconnecting is the owner's affair.
"""

from __future__ import annotations

import secrets
import selectors
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from kio.schema.errors import ErrorCode
from msgspec import Struct

from streams.wire.address import Address
from streams.wire.errors import (
    AnswerTimeoutError,
    AuthenticationError,
    ConnectionFailedError,
    RefusedError,
    UnsupportedVersionError,
)
from streams.wire.frame import FrameBuffer, FrameError, request_frame, response_entity
from streams.wire.request import Api, Request
from streams.wire.requests.api_versions import ApiVersions
from streams.wire.requests.sasl import SaslAuthenticate, SaslHandshake
from streams.wire.sasl import converse
from streams.wire.schema import MalformedError
from streams.wire.security import Sasl, Security

AnswerT = TypeVar("AnswerT")
READ_SIZE = 64 * 1024


class InFlight(Struct, frozen=True):
    """A request that waits for its answer."""

    request: Request[Any]
    version: int
    correlation_id: int


class Connection:
    """See the module. All times are seconds.

    `versions` maps API keys to the (lowest, highest) version the server speaks.
    """

    def __init__(self, stream: socket.socket, address: Address, client_id: str, clock: Callable[[], float]) -> None:
        self.address = address
        self.versions: Mapping[int, tuple[int, int]] = {}
        self._stream = stream
        self._client_id = client_id
        self._clock = clock
        self._frames = FrameBuffer()
        self._in_flight: deque[InFlight] = deque()
        self._correlation_id = 0

    @classmethod
    def open(
        cls,
        address: Address,
        *,
        client_id: str,
        security: Security,
        timeout_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> Connection:
        """Connects, asks for versions and authenticates, all within `timeout_s`.

        Raises:
            ConnectionFailedError, AnswerTimeoutError, UnsupportedVersionError, AuthenticationError
        """
        deadline = clock() + timeout_s
        connection = cls(open_stream(address, security, timeout_s), address, client_id, clock)
        try:
            connection.negotiate(deadline)
            if security.sasl is not None:
                connection.authenticate(security.sasl, deadline)
        except BaseException:
            connection.close()
            raise
        return connection

    def negotiate(self, deadline: float) -> None:
        for version in (ApiVersions.api.highest, ApiVersions.api.lowest):
            self._send(ApiVersions(), version)
            served = self._answer(deadline, ApiVersions())
            if served.error == ErrorCode.none:
                self.versions = served.ranges
                return
        raise RefusedError(served.error, api=ApiVersions.api.name)

    def authenticate(self, sasl: Sasl, deadline: float) -> None:
        offered = self.call(SaslHandshake(mechanism=sasl.mechanism), timeout_s=deadline - self._clock())
        if offered.error != ErrorCode.none:
            raise AuthenticationError(
                f"{self.address} does not take SASL {sasl.mechanism}, it offers {', '.join(offered.mechanisms)}: "
                "change sasl.mechanism"
            )
        conversation = converse(sasl, nonce=lambda: secrets.token_urlsafe(24))
        message = next(conversation)
        while True:
            reply = self.call(SaslAuthenticate(data=message), timeout_s=deadline - self._clock())
            if reply.error != ErrorCode.none:
                raise AuthenticationError(
                    f"{self.address} refused user {sasl.username!r}: {reply.message or reply.error.name}; "
                    "check sasl.username and sasl.password"
                )
            try:
                message = conversation.send(reply.data)
            except StopIteration:
                return

    def version(self, api: Api) -> int:
        """The highest version of `api` both ends speak. Raises UnsupportedVersionError."""
        theirs = self.versions.get(api.key)
        if theirs is None or theirs[0] > api.highest or theirs[1] < api.lowest:
            raise UnsupportedVersionError(self.address, api=api.name, ours=(api.lowest, api.highest), theirs=theirs)
        return min(api.highest, theirs[1])

    def call(self, request: Request[AnswerT], *, timeout_s: float) -> AnswerT:
        """Sends `request` and waits for its answer; nothing else may be in flight.

        Raises:
            ConnectionFailedError, AnswerTimeoutError, UnsupportedVersionError
        """
        self.send(request)
        return self._answer(self._clock() + timeout_s, request, timeout_s)

    def send(self, request: Request[Any]) -> None:
        """Sends `request`; `receive` gives its answer. Raises ConnectionFailedError, UnsupportedVersionError."""
        self._send(request, self.version(request.api))

    def receive(self, *, timeout_s: float | None, wake: socket.socket | None = None) -> Any | None:
        """The answer to the oldest request in flight; None if `timeout_s` passed or `wake` became readable first.

        Without a request in flight it still notices when the server closes the connection.

        Raises:
            ConnectionFailedError
        """
        deadline = None if timeout_s is None else self._clock() + timeout_s
        while True:
            try:
                content = self._frames.take()
            except FrameError as error:
                raise self._broken(str(error)) from error
            if content is not None:
                return self._read(content)
            if not self._fill():
                remaining = None if deadline is None else deadline - self._clock()
                if (remaining is not None and remaining <= 0) or not self._wait(remaining, wake):
                    return None

    def close(self) -> None:
        self._in_flight.clear()
        self._stream.close()

    def _send(self, request: Request[Any], version: int) -> None:
        self._correlation_id = (self._correlation_id + 1) & 0x7FFFFFFF
        frame = request_frame(request, version=version, correlation_id=self._correlation_id, client_id=self._client_id)
        try:
            self._stream.settimeout(10.0)  # a request is small: only a server that reads nothing lets it wait
            self._stream.sendall(frame)
        except OSError as error:
            raise self._broken(f"cannot send ({error})") from error
        self._in_flight.append(InFlight(request, version, self._correlation_id))

    def _answer(self, deadline: float, request: Request[AnswerT], timeout_s: float | None = None) -> AnswerT:
        allowed = deadline - self._clock()
        answer = self.receive(timeout_s=allowed)
        if answer is None:
            self.close()
            raise AnswerTimeoutError(
                self.address, api=request.api.name, timeout_s=allowed if timeout_s is None else timeout_s
            )
        return answer

    def _read(self, content: bytes) -> Any:
        if not self._in_flight:
            raise self._broken("an answer came that nobody had asked for")
        expected = self._in_flight.popleft()
        version = expected.version
        if expected.request.api is ApiVersions.api and content[4:6] == UNSUPPORTED_VERSION:
            version = 0  # such an answer is always written in version 0
        try:
            correlation_id, entity = response_entity(content, api=expected.request.api.name, version=version)
        except MalformedError as error:
            raise self._broken(f"the answer to {expected.request.api.name} v{version} cannot be read") from error
        if correlation_id != expected.correlation_id:
            raise self._broken("answers came out of order")
        return expected.request.answer(entity)

    def _fill(self) -> bool:
        """Takes what has arrived; False when there is nothing yet."""
        try:
            self._stream.settimeout(0)
            data = self._stream.recv(READ_SIZE)
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError as error:
            raise self._broken(str(error)) from error
        if not data:
            raise self._broken("the server closed the connection")
        self._frames.feed(data)
        return True

    def _wait(self, timeout_s: float | None, wake: socket.socket | None) -> bool:
        """True when the connection is readable, False when time ran out or `wake` is readable."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._stream, selectors.EVENT_READ)
            if wake is not None:
                selector.register(wake, selectors.EVENT_READ)
            ready = {key.fileobj for key, _ in selector.select(timeout_s)}
        return self._stream in ready and wake not in ready

    def _broken(self, what: str) -> ConnectionFailedError:
        self.close()
        return ConnectionFailedError(self.address, what)


UNSUPPORTED_VERSION = ErrorCode.unsupported_version.to_bytes(2, "big")


def open_stream(address: Address, security: Security, timeout_s: float) -> socket.socket:
    """A connected socket, with TLS on top where wanted. Raises ConnectionFailedError, AuthenticationError."""
    try:
        stream = socket.create_connection((address.host, address.port), timeout_s)
    except OSError as error:
        raise ConnectionFailedError(address, f"cannot connect ({error})") from error
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if security.tls is None:
        return stream
    context = security.tls.context()
    try:
        return context.wrap_socket(stream, server_hostname=address.host)
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
        stream.close()
        raise ConnectionFailedError(address, f"TLS broke off ({error})") from error
    except ssl.SSLError as error:
        stream.close()
        raise AuthenticationError(
            f"{address}: TLS failed ({error}); check security.protocol and ssl.ca.location"
        ) from error
    except OSError as error:
        stream.close()
        raise ConnectionFailedError(address, f"TLS broke off ({error})") from error
