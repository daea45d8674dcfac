"""Frames: a message with its header and its length in front.

request    int32 size │ header v1 or v2: int16 API key, int16 version, int32 correlation id, client id │ body
response   int32 size │ header v0 or v1: int32 correlation id │ body
"""

from __future__ import annotations

import struct
from typing import Any

from streams.wire import schema
from streams.wire.request import Request

LENGTH = struct.Struct(">i")
LARGEST_FRAME = 256 * 1024 * 1024
"""bytes; no answer to a request of ours comes near it, but the first four bytes of another protocol's greeting do."""


class FrameError(ValueError):
    """What arrived is not a Kafka frame."""


def request_frame(request: Request[Any], *, version: int, correlation_id: int, client_id: str) -> bytes:
    body_schema = schema.request_schema(request.api.name, version)
    header = schema.fill(
        body_schema.__header_schema__,
        {
            "request_api_key": request.api.key,
            "request_api_version": version,
            "correlation_id": correlation_id,
            "client_id": client_id,
        },
    )
    content = schema.encode(header) + schema.encode(schema.fill(body_schema, request.fields()))
    return LENGTH.pack(len(content)) + content


def response_entity(content: bytes, *, api: str, version: int) -> tuple[int, Any]:
    """Correlation id and kio entity of a frame's content (without its length)."""
    body_schema = schema.response_schema(api, version)
    header, offset = schema.decode(body_schema.__header_schema__, content)
    body, _ = schema.decode(body_schema, content, offset)
    return header.correlation_id, body


class FrameBuffer:
    """Collects received bytes and gives out whole frames."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> None:
        self._bytes += data

    def take(self) -> bytes | None:
        """The next whole frame's content, None while it is incomplete.

        Raises:
            FrameError: the length is impossible.
        """
        if len(self._bytes) < LENGTH.size:
            return None
        (size,) = LENGTH.unpack_from(self._bytes)
        if not 4 <= size <= LARGEST_FRAME:
            raise FrameError(f"a frame of {size} bytes was announced: the other end does not speak Kafka's protocol")
        end = LENGTH.size + size
        if len(self._bytes) < end:
            return None
        content = bytes(memoryview(self._bytes)[LENGTH.size : end])
        del self._bytes[:end]
        return content
