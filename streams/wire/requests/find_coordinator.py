"""FindCoordinator (key 10): which server coordinates a group, or a transactional id.

Versions 4 and up ask for several keys at once.
"""

from __future__ import annotations

from typing import Any, ClassVar

from kio.schema.errors import ErrorCode
from msgspec import Struct

from streams.wire.address import Address
from streams.wire.request import Api
from streams.wire.schema import Fields

GROUP, TRANSACTION = 0, 1
"""Kinds of keys."""


class FoundCoordinator(Struct, frozen=True):
    """`address` is None where there is an error."""

    error: ErrorCode
    address: Address | None
    message: str | None = None


class FindCoordinator(Struct, frozen=True, kw_only=True):
    api: ClassVar[Api] = Api("FindCoordinator", 10, 1, 6)
    key: str
    kind: int = GROUP

    def fields(self) -> Fields:
        return {"key": self.key, "key_type": self.kind, "coordinator_keys": (self.key,)}

    def answer(self, response: Any) -> FoundCoordinator:
        found = response.coordinators[0] if hasattr(response, "coordinators") else response
        if found.error_code != ErrorCode.none:
            return FoundCoordinator(found.error_code, None, found.error_message)
        return FoundCoordinator(found.error_code, Address(found.host, found.port))
