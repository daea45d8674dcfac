"""SyncGroup (key 14), versions 0-5.

v3 static members (KIP-345) · v4 flexible · v5 protocol type and name on both ways (KIP-559).
"""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from broker.groups.requests import SyncRequest
from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.server.context import RequestContext


@api(ApiKey.SYNC_GROUP, 0, 5)
async def handle(ctx: RequestContext, request: Any) -> Any:
    version: int = ctx.version
    if version >= 5 and (request.protocol_type is None or request.protocol_name is None):
        return response(
            request,
            error_code=ErrorCode.inconsistent_group_protocol,
            protocol_type=None,
            protocol_name=None,
            assignment=b"",
        )
    result = await ctx.broker.groups.sync(
        SyncRequest(
            group_id=request.group_id,
            member_id=request.member_id,
            instance_id=request.group_instance_id if version >= 3 else None,
            generation=request.generation_id,
            protocol_type=request.protocol_type if version >= 5 else None,
            protocol_name=request.protocol_name if version >= 5 else None,
            assignments={line.member_id: line.assignment for line in request.assignments},
        )
    )
    return response(
        request,
        error_code=result.error,
        protocol_type=result.protocol_type,
        protocol_name=result.protocol_name,
        assignment=result.assignment,
    )
