"""DescribeAcls (key 29), versions 1-3.

v1 prefixed patterns (KIP-290) · v2 flexible · v3 the resource type USER.
"""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.acl_fields import NO_AUTHORIZER, InvalidAclError, entry_fields, read_filter, resource_fields
from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.security.acl import Acl
from broker.server.context import RequestContext


@api(ApiKey.DESCRIBE_ACLS, 1, 3)
def handle(ctx: RequestContext, request: Any) -> Any:
    authorizer = ctx.broker.authorizer
    if authorizer is None:
        return response(request, error_code=ErrorCode.security_disabled, error_message=NO_AUTHORIZER, resources=())
    try:
        acls = authorizer.matching(read_filter(request))
    except InvalidAclError as error:
        return response(request, error_code=ErrorCode.invalid_request, error_message=str(error), resources=())
    return response(request, error_code=ErrorCode.none, error_message=None, resources=by_resource(acls))


def by_resource(acls: list[Acl]) -> list[dict[str, Any]]:
    """One line for each resource pattern."""
    resources: dict[tuple[Any, ...], dict[str, Any]] = {}
    for acl in acls:
        resource = resource_fields(acl)
        line = resources.setdefault(tuple(resource.values()), resource | {"acls": []})
        line["acls"].append(entry_fields(acl))
    return list(resources.values())
