"""SyncGroup (key 14): the leader hands in everybody's assignment, each member gets its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from kio.schema.errors import ErrorCode
from msgspec import Struct, field

from streams.wire.request import Api
from streams.wire.schema import Fields


class Synced(Struct, frozen=True, kw_only=True):
    error: ErrorCode
    assignment: bytes = b""


class SyncGroup(Struct, frozen=True, kw_only=True):
    """`assignments` (member id -> bytes) is empty unless this member is the leader."""

    api: ClassVar[Api] = Api("SyncGroup", 14, 3, 5)
    group_id: str
    member_id: str
    instance_id: str | None
    generation: int
    protocol_type: str
    protocol: str
    assignments: Mapping[str, bytes] = field(default_factory=dict[str, bytes])

    def fields(self) -> Fields:
        return {
            "group_id": self.group_id,
            "generation_id": self.generation,
            "member_id": self.member_id,
            "group_instance_id": self.instance_id,
            "protocol_type": self.protocol_type,
            "protocol_name": self.protocol,
            "assignments": tuple(
                {"member_id": member_id, "assignment": assignment} for member_id, assignment in self.assignments.items()
            ),
        }

    def answer(self, response: Any) -> Synced:
        return Synced(error=response.error_code, assignment=response.assignment)
