"""LeaveGroup (key 13), versions 0-5.

v3 many members in one request, each by member id or, for an administrator, by instance id alone (KIP-345) ·
v4 flexible · v5 reason (KIP-800; not used).
"""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from broker.groups.requests import MemberIdentity
from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.server.context import RequestContext


@api(ApiKey.LEAVE_GROUP, 0, 5)
def handle(ctx: RequestContext, request: Any) -> Any:
    if not request.group_id:
        return response(request, error_code=ErrorCode.invalid_group_id, members=[])
    if ctx.version < 3:
        (code,) = ctx.broker.groups.leave(request.group_id, [MemberIdentity(request.member_id)])
        return response(request, error_code=code)
    members = [MemberIdentity(line.member_id, line.group_instance_id) for line in request.members]
    codes = ctx.broker.groups.leave(request.group_id, members)
    return response(
        request,
        error_code=ErrorCode.none,
        members=[
            {"member_id": who.member_id, "group_instance_id": who.instance_id, "error_code": code}
            for who, code in zip(members, codes)
        ],
    )
