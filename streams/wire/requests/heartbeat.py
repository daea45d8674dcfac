"""Heartbeat (key 12): the member lives; the answer says whether the group is moving on."""

from __future__ import annotations

from typing import Any, ClassVar

from kio.schema.errors import ErrorCode
from msgspec import Struct

from streams.wire.request import Api
from streams.wire.schema import Fields


class Beaten(Struct, frozen=True, kw_only=True):
    error: ErrorCode


class Heartbeat(Struct, frozen=True, kw_only=True):
    api: ClassVar[Api] = Api("Heartbeat", 12, 3, 4)
    group_id: str
    member_id: str
    instance_id: str | None
    generation: int

    def fields(self) -> Fields:
        return {
            "group_id": self.group_id,
            "generation_id": self.generation,
            "member_id": self.member_id,
            "group_instance_id": self.instance_id,
        }

    def answer(self, response: Any) -> Beaten:
        return Beaten(error=response.error_code)
