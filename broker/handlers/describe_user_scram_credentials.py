"""DescribeUserScramCredentials (key 50), version 0 (KIP-554).

Tells mechanisms and iterations of the credentials set by AlterUserScramCredentials, of all users or of those named;
users whose passwords come from the broker's settings are not among them.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.protocol.scram_mechanisms import CODES
from broker.security.credential_store import UserCredentials
from broker.server.context import RequestContext


@api(ApiKey.DESCRIBE_USER_SCRAM_CREDENTIALS, 0, 0)
def handle(ctx: RequestContext, request: Any) -> Any:
    users = ctx.broker.scram_credentials.users
    asked = Counter(user.name for user in request.users or ()) or Counter(sorted(users))
    return response(
        request,
        error_code=ErrorCode.none,
        error_message=None,
        results=[describe(name, times, users.get(name)) for name, times in asked.items()],
    )


def describe(name: str, times: int, credentials: UserCredentials | None) -> dict[str, Any]:
    code, message = ErrorCode.none, None
    if times > 1:
        code = ErrorCode.duplicate_resource
        message = f"Cannot describe SCRAM credentials for the same user twice in a single request: {name}"
    elif credentials is None:
        code = ErrorCode.resource_not_found
        message = f"Attempt to describe a user credential that does not exist: {name}"
    known = credentials or {} if code is ErrorCode.none else {}
    infos = [
        {"mechanism": CODES[mechanism], "iterations": credential.iterations}
        for mechanism, credential in sorted(known.items())
    ]
    return {"user": name, "error_code": code, "error_message": message, "credential_infos": infos}
