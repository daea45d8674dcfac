"""JoinGroup (key 11): enters a group, or its next generation; answered when all members have joined.

Version 5 brought static members, 6 the compact form, 8 the reason, 9 `skip_assignment` for a static leader that came
back. Source: KIP-345, KIP-394, KIP-800, KIP-814.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from kio.schema.errors import ErrorCode
from msgspec import Struct

from streams.wire.request import Api
from streams.wire.schema import Fields


class JoinedMember(Struct, frozen=True, kw_only=True):
    """A member as the leader is told of it."""

    member_id: str
    instance_id: str | None
    metadata: bytes


class Joined(Struct, frozen=True, kw_only=True):
    """`members` is empty unless this member is the leader. `skip_assignment`: the leader must not assign anew."""

    error: ErrorCode
    generation: int = -1
    leader: str = ""
    member_id: str = ""
    protocol: str | None = None
    skip_assignment: bool = False
    members: tuple[JoinedMember, ...] = ()


class JoinGroup(Struct, frozen=True, kw_only=True):
    """An empty `member_id` asks for one."""

    api: ClassVar[Api] = Api("JoinGroup", 11, 5, 9)
    group_id: str
    member_id: str
    instance_id: str | None
    session_timeout_ms: int
    rebalance_timeout_ms: int
    protocol_type: str
    protocol: str
    metadata: bytes
    reason: str | None = None

    def fields(self) -> Fields:
        return {
            "group_id": self.group_id,
            "session_timeout": timedelta(milliseconds=self.session_timeout_ms),
            "rebalance_timeout": timedelta(milliseconds=self.rebalance_timeout_ms),
            "member_id": self.member_id,
            "group_instance_id": self.instance_id,
            "protocol_type": self.protocol_type,
            "protocols": ({"name": self.protocol, "metadata": self.metadata},),
            "reason": self.reason,
        }

    def answer(self, response: Any) -> Joined:
        return Joined(
            error=response.error_code,
            generation=response.generation_id,
            leader=response.leader,
            member_id=response.member_id,
            protocol=response.protocol_name,
            skip_assignment=getattr(response, "skip_assignment", False),
            members=tuple(
                JoinedMember(member_id=member.member_id, instance_id=member.group_instance_id, metadata=member.metadata)
                for member in response.members
            ),
        )
