"""FindCoordinator (key 10): which server coordinates a group. Versions 4 and up ask for several keys at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from kio.schema.errors import ErrorCode

from streams.wire.address import Address
from streams.wire.request import Api
from streams.wire.schema import Fields

GROUP_KEY = 0


@dataclass(frozen=True, slots=True)
class FoundCoordinator:
    """`address` is None where there is an error."""

    error: ErrorCode
    address: Address | None
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FindCoordinator:
    api: ClassVar[Api] = Api("FindCoordinator", 10, 1, 6)
    group_id: str

    def fields(self) -> Fields:
        return {"key": self.group_id, "key_type": GROUP_KEY, "coordinator_keys": (self.group_id,)}

    def answer(self, response: Any) -> FoundCoordinator:
        found = response.coordinators[0] if hasattr(response, "coordinators") else response
        if found.error_code != ErrorCode.none:
            return FoundCoordinator(found.error_code, None, found.error_message)
        return FoundCoordinator(found.error_code, Address(found.host, found.port))
