"""Whether the dashboard may write: produce records, send dead letters again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from fastapi import Request

from streams.query.access import is_loopback
from streams.query.problem import Problem
from streams.runtime.options import WorkerOptions

LONGEST_BODY = 4 * 1024 * 1024


class ReadOnly(Problem):
    """The dashboard only shows."""

    status = 403
    reason = "read-only"


class WrongField(Problem):
    """What was sent cannot be taken; `field` says which part of it."""

    status = 422
    reason = "wrong-field"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message, details={"field": field})


def read_only_because(options: WorkerOptions) -> str | None:
    """Why the dashboard may not write; None: it may.

    Unless the settings say it, it may where only this host can ask, or those with the token.
    """
    if options.web_read_only:
        return "this dashboard is read-only (web_read_only)"
    others = not is_loopback(options.query_host) and options.query_token is None
    if options.web_read_only is None and others:
        return (
            "this dashboard is read-only, because other hosts can open it without a token: set query_token "
            "(HEADRACE_QUERY_TOKEN), or web_read_only=False (HEADRACE_WEB_READ_ONLY=false) if everybody may write"
        )
    return None


def writer(options: WorkerOptions) -> Callable[[], Awaitable[None]]:
    """A dependency of what writes. It raises ReadOnly."""

    async def may_write() -> None:
        reason = read_only_because(options)
        if reason is not None:
            raise ReadOnly(reason)

    return may_write


async def json_body(request: Request, kind: Any) -> Any:
    """The body as a `kind`, a msgspec Struct. Raises Problem, WrongField."""
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise Problem("the body has to be JSON: send Content-Type: application/json")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_BODY:
            raise Problem(f"a body may have {LONGEST_BODY} bytes, and this one has more")
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        _, _, path = str(error).partition(" - at `$")
        raise WrongField(path.strip("`.").partition("[")[0] or "body", str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Problem(f"the body is no JSON: {error}") from error
