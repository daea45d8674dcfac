"""DeleteGroups (key 42), versions 0-2.

v2 flexible. Only groups without members go (else NON_EMPTY_GROUP), and their offsets with them (KIP-229).
"""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.security.operation import AclOperation
from broker.security.resource import ResourceType
from broker.server.context import RequestContext


@api(ApiKey.DELETE_GROUPS, 0, 2)
async def handle(ctx: RequestContext, request: Any) -> Any:
    results = [{"group_id": name, "error_code": await delete(ctx, name)} for name in request.groups_names]
    return response(request, results=results)


async def delete(ctx: RequestContext, name: str) -> ErrorCode:
    if not ctx.may(AclOperation.DELETE, ResourceType.GROUP, name):
        return ErrorCode.group_authorization_failed
    return await ctx.broker.groups.delete(name)
