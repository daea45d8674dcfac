"""ApiVersions (key 18): which versions of which APIs the server speaks.

Asked in version 3; a server that does not know it answers UNSUPPORTED_VERSION in version 0, and version 0 is asked.
Source: KIP-35, KIP-511.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from kio.schema.errors import ErrorCode
from msgspec import Struct

from streams.wire.request import Api
from streams.wire.schema import Fields


class ServedVersions(Struct, frozen=True):
    """API key -> (lowest, highest) version the server speaks."""

    error: ErrorCode
    ranges: Mapping[int, tuple[int, int]]


class ApiVersions(Struct, frozen=True, kw_only=True):
    api: ClassVar[Api] = Api("ApiVersions", 18, 0, 3)
    software_name: str = "headrace"
    software_version: str = "0"

    def fields(self) -> Fields:
        return {"client_software_name": self.software_name, "client_software_version": self.software_version}

    def answer(self, response: Any) -> ServedVersions:
        return ServedVersions(
            response.error_code, {entry.api_key: (entry.min_version, entry.max_version) for entry in response.api_keys}
        )
