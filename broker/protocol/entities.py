"""The typed entities of one API in one version, imported on first use.

Importing every schema of kio takes 0.7 s, a broker in its first second needs about five of them.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, cast

from kio.index import load_request_schema, load_response_schema
from kio.serial import entity_reader, entity_writer

from broker.protocol.api_keys import ApiKey


class VersionedEntities:
    """Reader of the request and writer of the response; one per (API, version) in use, immutable."""

    __slots__ = ("flexible", "read", "write")

    def __init__(self, key: ApiKey, version: int) -> None:
        request_type = load_request_schema(key, version)
        self.flexible: bool = request_type.__flexible__
        self.read = cast(Callable[[Any, int], tuple[Any, int]], entity_reader(request_type))
        """(read-only buffer, position) -> (request entity, bytes read)"""
        self.write = cast(Callable[[Any, Any], None], entity_writer(load_response_schema(key, version)))

    def encode(self, response: Any) -> bytes:
        """The response body."""
        out = io.BytesIO()
        self.write(out, response)
        return out.getvalue()
