"""The typed entities of one API in one version, imported on first use.

Importing every schema of kio takes 0.7 s, a broker in its first second needs about five of them.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from importlib import import_module
from typing import Any, Literal, cast

from kio.serial import entity_reader, entity_writer

from broker.protocol.api_keys import ApiKey, api_name
from broker.protocol.shape import Edit, edited, shape_of


class VersionedEntities:
    """Reader of the request and writer of the response; one per (API, version) in use, immutable."""

    __slots__ = ("flexible", "read_unchecked", "shape", "write")

    def __init__(self, key: ApiKey, version: int) -> None:
        request_type = schema(key, version, "Request")
        self.flexible: bool = request_type.__flexible__
        self.shape = shape_of(request_type)
        self.read_unchecked = cast(Callable[[Any, int], tuple[Any, int]], entity_reader(request_type))
        """(read-only buffer, position) -> (request entity, bytes read)"""
        self.write = cast(Callable[[Any, Any], None], entity_writer(schema(key, version, "Response")))

    def read(self, frame: memoryview, position: int) -> Any:
        """The request entity at a position of a frame. Tagged fields that are not in its schema are
        passed over. Raises what the codec raises where the bytes are no request."""
        edits: list[Edit] = []
        self.shape.check(frame, position, edits)
        if edits:
            return self.read_unchecked(edited(frame, position, edits), 0)[0]
        return self.read_unchecked(frame.toreadonly(), position)[0]

    def encode(self, response: Any) -> bytes:
        """The response body."""
        out = io.BytesIO()
        self.write(out, response)
        return out.getvalue()


def schema(key: ApiKey, version: int, kind: Literal["Request", "Response"]) -> Any:
    """The entity class, by its place in kio: its own index of all of them is a tenth of a broker's start."""
    module = import_module(f"kio.schema.{key.name.lower()}.v{version}.{kind.lower()}")
    return getattr(module, api_name(key) + kind)
