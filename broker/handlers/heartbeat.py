"""Heartbeat (key 12), versions 0-4.

v3 static members (KIP-345) · v4 flexible.

One that has nothing to tell is held for a while, see `broker/groups/held_heartbeats.py`.
"""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from broker.groups.requests import MemberIdentity
from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.server.context import RequestContext


@api(ApiKey.HEARTBEAT, 0, 4)
def handle(ctx: RequestContext, request: Any) -> Any:
    who = MemberIdentity(request.member_id, request.group_instance_id if ctx.version >= 3 else None)
    groups, group_id, generation = ctx.broker.groups, request.group_id, request.generation_id
    code = groups.heartbeat(group_id, who, generation)
    if code is ErrorCode.none:
        held = groups.held.hold(group_id, who, generation, lambda code: response(request, error_code=code))
        if held is not None:
            return held
    return response(request, error_code=code)
