"""SaslHandshake (17) names the mechanism, SaslAuthenticate (36) carries its messages. Source: KIP-152."""

from __future__ import annotations

from typing import Any, ClassVar

from kio.schema.errors import ErrorCode
from msgspec import Struct

from streams.wire.request import Api
from streams.wire.schema import Fields


class OfferedMechanisms(Struct, frozen=True):
    error: ErrorCode
    mechanisms: tuple[str, ...]


class SaslHandshake(Struct, frozen=True, kw_only=True):
    api: ClassVar[Api] = Api("SaslHandshake", 17, 1, 1)
    mechanism: str

    def fields(self) -> Fields:
        return {"mechanism": self.mechanism}

    def answer(self, response: Any) -> OfferedMechanisms:
        return OfferedMechanisms(response.error_code, response.mechanisms)


class SaslReply(Struct, frozen=True):
    error: ErrorCode
    message: str | None
    data: bytes


class SaslAuthenticate(Struct, frozen=True, kw_only=True):
    api: ClassVar[Api] = Api("SaslAuthenticate", 36, 0, 2)
    data: bytes

    def fields(self) -> Fields:
        return {"auth_bytes": self.data}

    def answer(self, response: Any) -> SaslReply:
        return SaslReply(response.error_code, response.error_message, response.auth_bytes)
