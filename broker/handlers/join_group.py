"""JoinGroup (key 11), versions 0-9.

v1 rebalance timeout (before: the session timeout) · v4 MEMBER_ID_REQUIRED (KIP-394) · v5 static members (KIP-345) ·
v6 flexible · v7 protocol type in the answer, protocol name nullable (KIP-559) · v8 reason (KIP-800; only logged) ·
v9 skip_assignment (KIP-814).
"""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from broker.groups.member import Protocol
from broker.groups.requests import JoinRequest
from broker.handlers.response import milliseconds, response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.server.context import RequestContext


@api(ApiKey.JOIN_GROUP, 0, 9)
async def handle(ctx: RequestContext, request: Any) -> Any:
    version: int = ctx.version
    session_timeout_ms = milliseconds(request.session_timeout)
    instance_id: str | None = request.group_instance_id if version >= 5 else None
    client_id = ctx.client_id or ""
    coordinator = ctx.broker.groups
    result = await coordinator.join(
        JoinRequest(
            group_id=request.group_id,
            member_id=request.member_id,
            new_member_id=f"{instance_id or client_id}-{coordinator.new_id()}",
            instance_id=instance_id,
            client_id=client_id,
            client_host=ctx.client_host,
            session_timeout_ms=session_timeout_ms,
            rebalance_timeout_ms=milliseconds(request.rebalance_timeout) if version >= 1 else session_timeout_ms,
            protocol_type=request.protocol_type,
            protocols=tuple(Protocol(protocol.name, protocol.metadata) for protocol in request.protocols),
            requires_known_id=version >= 4,
            can_skip_assignment=version >= 9,
        )
    )
    failed = result.error is not ErrorCode.none
    return response(
        request,
        error_code=result.error,
        generation_id=result.generation,
        protocol_type=result.protocol_type,
        protocol_name=result.protocol_name if not failed or version >= 7 else "",
        leader=result.leader,
        skip_assignment=result.skip_assignment,
        member_id=result.member_id,
        members=[
            {"member_id": member.member_id, "group_instance_id": member.instance_id, "metadata": member.metadata}
            for member in result.members
        ],
    )
