"""ListGroups (key 16), versions 0-5.

v3 flexible · v4 filter by state, state in the answer (KIP-518) · v5 filter by type, type in the answer (KIP-848).
Filters ignore case.
Groups that one may not describe are left out, for those who may not describe the cluster.
"""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.security.operation import AclOperation
from broker.security.resource import CLUSTER_NAME, ResourceType
from broker.server.context import RequestContext


@api(ApiKey.LIST_GROUPS, 0, 5)
def handle(ctx: RequestContext, request: Any) -> Any:
    states = {state.lower() for state in request.states_filter} if ctx.version >= 4 else set[str]()
    types = {kind.lower() for kind in request.types_filter} if ctx.version >= 5 else set[str]()
    sees_all = ctx.may(AclOperation.DESCRIBE, ResourceType.CLUSTER, CLUSTER_NAME, audited=False)
    groups = [
        {
            "group_id": group.group_id,
            "protocol_type": group.protocol_type,
            "group_state": group.state,
            "group_type": group.type,
        }
        for group in ctx.broker.groups.list_all()
        if (not states or group.state.lower() in states)
        and (not types or group.type in types)
        and (sees_all or ctx.may(AclOperation.DESCRIBE, ResourceType.GROUP, group.group_id, audited=False))
    ]
    return response(request, error_code=ErrorCode.none, groups=groups)
