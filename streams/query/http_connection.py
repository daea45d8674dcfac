"""One connection to another worker's query server: HTTP/1.1, kept alive, one request at a time."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any, cast

import httptools
from msgspec import Struct


class Response(Struct, frozen=True):
    """A whole answer; header names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class HttpConnection(asyncio.Protocol):
    """Made by `connect`. After an error it is of no use any more: `usable` says so."""

    def __init__(self, authority: str) -> None:
        self._authority = authority
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Response] | None = None
        self._parser: Any = None
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.used_at = 0.0
        self.answered = 0
        """How many requests it has carried."""

    @classmethod
    async def connect(cls, endpoint: str, tls: ssl.SSLContext | None, *, timeout_s: float) -> HttpConnection:
        """Raises OSError, TimeoutError."""
        host, _, port = endpoint.rpartition(":")
        loop = asyncio.get_running_loop()
        made = loop.create_connection(lambda: cls(endpoint), host.strip("[]"), int(port), ssl=tls)
        _, connection = await asyncio.wait_for(made, timeout_s)
        return connection

    @property
    def usable(self) -> bool:
        return self._transport is not None and not self._transport.is_closing() and self._answer is None

    async def request(
        self, method: str, target: str, headers: dict[str, str], body: bytes, timeout_s: float
    ) -> Response:
        """Raises ConnectionError, TimeoutError; the connection is closed then."""
        assert self._transport is not None
        answer = self._answer = asyncio.get_running_loop().create_future()
        self._parser = httptools.HttpResponseParser(self)
        lines = [f"{method} {target} HTTP/1.1", f"host: {self._authority}", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._transport.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
        timer = asyncio.get_running_loop().call_later(timeout_s, self._fail, TimeoutError("no answer in time"))
        try:
            return await answer
        finally:
            timer.cancel()
            self._answer = None
            if not answer.done() or answer.cancelled() or answer.exception() is not None:
                self.close()
            self.answered += 1

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    # -- asyncio.Protocol --------------------------------------------------------------------------------------------
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        try:
            if self._parser is None or self._answer is None:
                raise ConnectionError("bytes that nobody asked for")
            self._parser.feed_data(data)
        except (httptools.HttpParserError, ConnectionError) as error:
            self._fail(ConnectionError(f"not HTTP: {error}"))
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if not self.closed.done():
            self.closed.set_result(None)
        self._fail(ConnectionError(f"the connection was closed{f' ({exc})' if exc else ''}"))

    # -- httptools ---------------------------------------------------------------------------------------------------
    def on_message_begin(self) -> None:
        self._headers, self._body = {}, []

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(Response(self._parser.get_status_code(), self._headers, b"".join(self._body)))
        if not self._parser.should_keep_alive():
            self.close()
