"""SaslAuthenticate (key 36), versions 0-2 (KIP-152).

v1 the answer tells how long the session lasts (KIP-368) · v2 flexible.
A refused client gets SASL_AUTHENTICATION_FAILED after a little while, which makes guessing slow, and the connection is
closed.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.security.authentication import Authentication, Phase, Step
from broker.server.context import RequestContext


@api(ApiKey.SASL_AUTHENTICATE, 0, 2)
def handle(ctx: RequestContext, request: Any) -> Any:
    authentication = ctx.authentication
    if authentication is None:
        message = "SaslAuthenticate request on a listener without SASL"
        return response(
            request,
            error_code=ErrorCode.illegal_sasl_state,
            error_message=message,
            auth_bytes=b"",
            session_lifetime=timedelta(0),
        )
    step = authentication.token(request.auth_bytes, ctx.broker.clock())
    if step.error is not ErrorCode.none:
        return refuse(ctx, request, authentication, step)
    return answer(request, authentication, step)


async def refuse(ctx: RequestContext, request: Any, authentication: Authentication, step: Step) -> Any:
    await asyncio.sleep(ctx.broker.options.failed_authentication_delay_ms / 1000)
    return answer(request, authentication, step)


def answer(request: Any, authentication: Authentication, step: Step) -> Any:
    done = authentication.phase is Phase.DONE
    return response(
        request,
        error_code=step.error,
        error_message=step.message,
        auth_bytes=step.token,
        session_lifetime=timedelta(milliseconds=authentication.session_lifetime_ms if done else 0),
    )
