"""CreateAcls (key 30), versions 1-3.

v1 prefixed patterns (KIP-290) · v2 flexible · v3 the resource type USER.
Durable when answered. What is there already is created again without an error; those that make no sense are refused
one by one.
"""

from __future__ import annotations

import logging
from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.acl_fields import NO_AUTHORIZER, InvalidAclError, read_acl
from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.security.acl import Acl
from broker.server.context import RequestContext

LOG = logging.getLogger("broker.authorizer")


@api(ApiKey.CREATE_ACLS, 1, 3)
def handle(ctx: RequestContext, request: Any) -> Any:
    authorizer = ctx.broker.authorizer
    if authorizer is None:
        refusal = {"error_code": ErrorCode.security_disabled, "error_message": NO_AUTHORIZER}
        return response(request, results=[refusal for _ in request.creations])
    valid: list[Acl] = []
    results: list[dict[str, Any]] = []
    for line in request.creations:
        code, message = ErrorCode.none, None
        try:
            valid.append(read_acl(line))
        except InvalidAclError as error:
            code, message = ErrorCode.invalid_request, str(error)
        results.append({"error_code": code, "error_message": message})
    try:
        authorizer.add(valid)
    except OSError as error:
        LOG.error("cannot store ACLs: %s; they are as they were", error)
        failure = {
            "error_code": ErrorCode.kafka_storage_error,
            "error_message": f"The broker's storage failed: {error.strerror}",
        }
        results = [result if result["error_code"] is not ErrorCode.none else failure for result in results]
    return response(request, results=results)
