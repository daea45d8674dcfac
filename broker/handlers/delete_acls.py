"""DeleteAcls (key 31), versions 1-3.

v1 prefixed patterns (KIP-290) · v2 flexible · v3 the resource type USER.
Durable when answered. All that any of the filters chooses goes at once.
"""

from __future__ import annotations

import logging
from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.acl_fields import NO_AUTHORIZER, InvalidAclError, entry_fields, read_filter, resource_fields
from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.security.acl import Acl
from broker.server.context import RequestContext

LOG = logging.getLogger("broker.authorizer")


@api(ApiKey.DELETE_ACLS, 1, 3)
def handle(ctx: RequestContext, request: Any) -> Any:
    authorizer = ctx.broker.authorizer
    if authorizer is None:
        refusal = failed(ErrorCode.security_disabled, NO_AUTHORIZER)
        return response(request, filter_results=[refusal for _ in request.filters])
    chosen: list[list[Acl]] = []
    results: list[dict[str, Any]] = []
    for line in request.filters:
        try:
            acls = authorizer.matching(read_filter(line))
        except InvalidAclError as error:
            results.append(failed(ErrorCode.invalid_request, str(error)))
        else:
            chosen.append(acls)
            results.append(deleted(acls))
    try:
        authorizer.remove(acl for acls in chosen for acl in acls)
    except OSError as error:
        LOG.error("cannot store ACLs: %s; they are as they were", error)
        failure = failed(ErrorCode.kafka_storage_error, f"The broker's storage failed: {error.strerror}")
        results = [result if result["error_code"] is not ErrorCode.none else failure for result in results]
    return response(request, filter_results=results)


def deleted(acls: list[Acl]) -> dict[str, Any]:
    lines = [
        {"error_code": ErrorCode.none, "error_message": None, **resource_fields(acl), **entry_fields(acl)}
        for acl in acls
    ]
    return {"error_code": ErrorCode.none, "error_message": None, "matching_acls": lines}


def failed(code: ErrorCode, message: str) -> dict[str, Any]:
    return {"error_code": code, "error_message": message, "matching_acls": ()}
