"""SaslHandshake (17) names the mechanism, SaslAuthenticate (36) carries its messages. Source: KIP-152."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from kio.schema.errors import ErrorCode

from streams.wire.request import Api
from streams.wire.schema import Fields


@dataclass(frozen=True, slots=True)
class OfferedMechanisms:
    error: ErrorCode
    mechanisms: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SaslHandshake:
    api: ClassVar[Api] = Api("SaslHandshake", 17, 1, 1)
    mechanism: str

    def fields(self) -> Fields:
        return {"mechanism": self.mechanism}

    def answer(self, response: Any) -> OfferedMechanisms:
        return OfferedMechanisms(response.error_code, response.mechanisms)


@dataclass(frozen=True, slots=True)
class SaslReply:
    error: ErrorCode
    message: str | None
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SaslAuthenticate:
    api: ClassVar[Api] = Api("SaslAuthenticate", 36, 0, 2)
    data: bytes

    def fields(self) -> Fields:
        return {"auth_bytes": self.data}

    def answer(self, response: Any) -> SaslReply:
        return SaslReply(response.error_code, response.error_message, response.auth_bytes)
