"""A bare client: one request of any API and version over a socket, encoded by kio; nothing retried or hidden."""

from __future__ import annotations

import io
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import MISSING, fields, is_dataclass
from types import TracebackType
from typing import Any, get_args, get_origin

from kio.index import load_request_schema, load_response_schema
from kio.serial import entity_reader, entity_writer

API_VERSIONS = 18
"""Its answers never have tags in their header: the client may not know that version."""


def build_request(entity: type[Any], values: dict[str, Any]) -> Any:
    """A request entity from a tree of dicts and lists; names that this version lacks are dropped, flags are false."""
    built: dict[str, Any] = {}
    for field in fields(entity):
        if field.name not in values:
            if field.type is bool and field.default is MISSING:
                built[field.name] = False
            continue
        value = values[field.name]
        nested = nested_type(field.type)
        if nested is not None and value is not None:
            value = tuple(build_request(nested, item) for item in value)
        built[field.name] = tuple(value) if isinstance(value, list) else value
    return entity(**built)


def nested_type(annotation: Any) -> type[Any] | None:
    for option in (annotation, *get_args(annotation)):
        if get_origin(option) is tuple and is_dataclass(get_args(option)[0]):
            return get_args(option)[0]
    return None


class WireClient:
    """One connection."""

    def __init__(self, bootstrap_servers: str) -> None:
        host, port = bootstrap_servers.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=20)
        self.correlation_id = 0

    def __enter__(self) -> WireClient:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.socket.close()

    def send(self, key: int, version: int, /, **values: Any) -> None:
        """Sends a request without waiting for its answer."""
        self.socket.sendall(self.frame(key, version, **values))

    def frame(self, key: int, version: int, /, **values: Any) -> bytes:
        """The next request, as it is sent."""
        request_type = load_request_schema(key, version)
        self.correlation_id += 1
        body = io.BytesIO()
        client = b"wire"
        body.write(struct.pack(">hhih", key, version, self.correlation_id, len(client)) + client)
        if request_type.__flexible__:
            body.write(b"\x00")
        entity_writer(request_type)(body, build_request(request_type, values))
        return struct.pack(">i", body.tell()) + body.getvalue()

    def receive(self, key: int, version: int, *, before: int = 0) -> Any:
        """Reads the answer to the last request, or to the one that was sent so many `before` it."""
        response_type = load_response_schema(key, version)
        (size,) = struct.unpack(">i", self.read(4))
        frame = self.read(size)
        assert struct.unpack_from(">i", frame)[0] == self.correlation_id - before
        start = 5 if response_type.__flexible__ and key != API_VERSIONS else 4
        response, size = entity_reader(response_type)(frame, start)
        assert start + size == len(frame), "bytes left over"
        return response

    def ask(self, key: int, version: int, /, **values: Any) -> Any:
        self.send(key, version, **values)
        return self.receive(key, version)

    def read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            chunk = self.socket.recv(size - len(data))
            if not chunk:
                raise ConnectionResetError("the broker closed the connection")
            data += chunk
        return data


@contextmanager
def wire(bootstrap_servers: str) -> Iterator[WireClient]:
    with WireClient(bootstrap_servers) as client:
        yield client
