"""DescribeGroups (key 15), versions 0-6.

v3 authorized operations (KIP-430) · v4 instance ids (KIP-345) · v5 flexible · v6 GROUP_ID_NOT_FOUND with a message
(KIP-1043); before, a group that is not there is described as Dead without an error. So is one that is not classic.
"""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from broker.groups import description
from broker.handlers.authorized_operations import NOT_ASKED, authorized_operations
from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.security.operation import AclOperation
from broker.security.resource import ResourceType
from broker.server.context import RequestContext


@api(ApiKey.DESCRIBE_GROUPS, 0, 6)
def handle(ctx: RequestContext, request: Any) -> Any:
    wants_operations = ctx.version >= 3 and request.include_authorized_operations
    return response(request, groups=[describe(ctx, name, wants_operations) for name in request.groups])


def describe(ctx: RequestContext, group_id: str, wants_operations: bool) -> dict[str, Any]:
    error, message, operations = ErrorCode.none, None, NOT_ASKED
    if not ctx.may(AclOperation.DESCRIBE, ResourceType.GROUP, group_id):
        error = ErrorCode.group_authorization_failed
        group = description.hidden(group_id)
    else:
        group = ctx.broker.groups.describe(group_id)
    if group is None:
        group = description.unknown(group_id)
        if ctx.version >= 6:
            there = ctx.broker.groups.type_of(group_id) is not None
            why = "is not a classic group" if there else "not found"
            error, message = ErrorCode.group_id_not_found, f"Group {group_id} {why}."
    if wants_operations and error is ErrorCode.none:
        operations = authorized_operations(ctx, ResourceType.GROUP, group_id)
    return {
        "error_code": error,
        "error_message": message,
        "group_id": group_id,
        "group_state": group.state,
        "protocol_type": group.protocol_type,
        "protocol_data": group.protocol_name,
        "members": [
            {
                "member_id": member.member_id,
                "group_instance_id": member.instance_id,
                "client_id": member.client_id,
                "client_host": member.client_host,
                "member_metadata": member.metadata,
                "member_assignment": member.assignment,
            }
            for member in group.members
        ],
        "authorized_operations": operations,
    }
