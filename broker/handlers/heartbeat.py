"""Heartbeat (key 12), versions 0-4.

v3 static members (KIP-345) · v4 flexible.
"""

from __future__ import annotations

from typing import Any

from broker.groups.requests import MemberIdentity
from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.server.context import RequestContext


@api(ApiKey.HEARTBEAT, 0, 4)
def handle(ctx: RequestContext, request: Any) -> Any:
    who = MemberIdentity(request.member_id, request.group_instance_id if ctx.version >= 3 else None)
    return response(request, error_code=ctx.broker.groups.heartbeat(request.group_id, who, request.generation_id))
