"""SaslHandshake (key 17), versions 0-1 (KIP-43, KIP-152).

v0 tokens follow without request headers · v1 tokens follow in SaslAuthenticate. Neither is flexible, so that any client
can read the answer.
A mechanism the listener does not have is answered with UNSUPPORTED_SASL_MECHANISM and the list of those it has, then
the connection is closed; on a listener without SASL it is ILLEGAL_SASL_STATE, and the connection goes on.
"""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.server.context import RequestContext


@api(ApiKey.SASL_HANDSHAKE, 0, 1)
def handle(ctx: RequestContext, request: Any) -> Any:
    authentication = ctx.authentication
    if authentication is None:
        return response(request, error_code=ErrorCode.illegal_sasl_state, mechanisms=())
    code = authentication.handshake(request.mechanism, ctx.version, ctx.broker.clock())
    return response(request, error_code=code, mechanisms=tuple(authentication.mechanisms))
