"""LeaveGroup (key 13): goes for good. From version 3 on static members can be named. Source: KIP-345."""

from __future__ import annotations

from typing import Any, ClassVar

from kio.schema.errors import ErrorCode
from msgspec import Struct

from streams.wire.request import Api
from streams.wire.schema import Fields


class Left(Struct, frozen=True, kw_only=True):
    error: ErrorCode


class LeaveGroup(Struct, frozen=True, kw_only=True):
    api: ClassVar[Api] = Api("LeaveGroup", 13, 3, 5)
    group_id: str
    member_id: str
    instance_id: str | None
    reason: str | None = None

    def fields(self) -> Fields:
        member = {"member_id": self.member_id, "group_instance_id": self.instance_id, "reason": self.reason}
        return {"group_id": self.group_id, "members": (member,)}

    def answer(self, response: Any) -> Left:
        errors = [member.error_code for member in response.members if member.error_code != ErrorCode.none]
        return Left(error=errors[0] if errors and response.error_code == ErrorCode.none else response.error_code)
