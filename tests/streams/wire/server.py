"""A server that answers as a test tells it to, one connection at a time."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from types import TracebackType
from typing import Any

from kio.index import load_request_schema, load_response_schema
from kio.schema.errors import ErrorCode

from streams.wire import Address, schema

Answer = Callable[[Any, int], dict[str, Any] | bytes | None]
"""Given the request entity and its version: the fields of the answer, raw bytes to write, or None to hang up."""


class ScriptedServer:
    """`answers` is by API key; `requests` are all that came, as (API key, version, entity)."""

    def __init__(self, answers: dict[int, Answer], *, tls: ssl.SSLContext | None = None) -> None:
        self.answers = answers
        self._tls = tls
        self.requests: list[tuple[int, int, Any]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._connections: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def address(self) -> Address:
        return Address("127.0.0.1", self._listener.getsockname()[1])

    def __enter__(self) -> ScriptedServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._connections:
            with suppress(OSError):  # the client may have hung up already
                connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        for connection in self._connections:
            connection.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            try:
                if self._tls is not None:
                    connection = self._tls.wrap_socket(connection, server_side=True)
                    self._connections[-1] = connection
                while self._answer_one(connection):
                    pass
            except OSError:
                pass  # the client or the test hung up
            connection.close()

    def _answer_one(self, connection: socket.socket) -> bool:
        length = self._read(connection, 4)
        content = self._read(connection, struct.unpack(">i", length)[0]) if length else b""
        if not content:
            return False
        key, version, correlation_id = struct.unpack_from(">hhi", content)
        request_schema = load_request_schema(key, version)
        _, offset = schema.decode(request_schema.__header_schema__, content)
        request, _ = schema.decode(request_schema, content, offset)
        self.requests.append((key, version, request))
        answer = self.answers[key](request, version)
        if answer is None:
            return False
        if isinstance(answer, dict):
            version = answer.pop("in_version", version)
            response_schema = load_response_schema(key, version)
            header = schema.fill(response_schema.__header_schema__, {"correlation_id": correlation_id})
            body = schema.encode(header) + schema.encode(schema.fill(response_schema, answer))
            answer = struct.pack(">i", len(body)) + body
        connection.sendall(answer)
        return True

    def _read(self, connection: socket.socket, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = connection.recv(size - len(data))
            if not more:
                return b""
            data += more
        return data


def versions(**ranges: tuple[int, int]) -> Answer:
    """The answer to ApiVersions: ranges by `k<API key>`, ApiVersions itself 0 to 3."""

    def answer(request: Any, version: int) -> dict[str, Any]:
        del request, version
        keys = [(18, 0, 3), *((int(name[1:]), low, high) for name, (low, high) in ranges.items())]
        return {
            "error_code": ErrorCode.none,
            "api_keys": tuple({"api_key": key, "min_version": low, "max_version": high} for key, low, high in keys),
            "throttle_time": timedelta(0),
        }

    return answer
