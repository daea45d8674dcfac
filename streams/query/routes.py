"""The routes of the query server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Annotated

import msgspec
from fastapi import Depends, FastAPI, Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from msgspec import Struct

from streams.observe.routes import health_routes, metrics_routes
from streams.query.changes import Changes
from streams.query.models import PROBLEMS, PageModel, RowModel, StoreModel
from streams.query.placement import Placement
from streams.query.position import HEADER, parse_position
from streams.query.problem import Problem
from streams.query.queries import Limits, PageOf, Queries, absent
from streams.query.scope import TIMED
from streams.query.subject import Subject
from streams.query.upstream import Upstream

LONGEST_PAGE = 10_000
LONGEST_WAIT_MS = 60_000
WAIT_MS = 5_000

Word = Annotated[str | None, Query()]
TIME = "ms since the epoch or ISO 8601"
Key = Annotated[str | None, Query(description="a key, as in the path")]
From = Annotated[str | None, Query(alias="from", description=f"least window start, or session end; {TIME}")]
To = Annotated[str | None, Query(description=f"greatest window or session start; {TIME}")]
Reverse = Annotated[bool, Query(description="the last first")]
Limit = Annotated[int, Query(ge=1, le=LONGEST_PAGE)]
CursorText = Annotated[str | None, Query(description="`next` of the page before")]


class Asked(Struct, frozen=True, kw_only=True):
    """What every read of rows may be given, as query parameters and headers."""

    partition: Annotated[int | None, Query(ge=0, description="look into this partition only")] = None
    position: Annotated[str | None, Query(description="topic:partition:offset,…: what the answer has to contain")] = (
        None
    )
    wait_ms: Annotated[
        int,
        Query(ge=0, le=LONGEST_WAIT_MS, description="how long to wait for the position, or (scan) for partitions, ms"),
    ] = WAIT_MS
    max_lag: Annotated[
        int | None,
        Query(
            ge=0,
            description="a standby may answer that lacks no more records of the store's changelog; its answers have no "
            "X-Position",
        ),
    ] = None
    x_position: Annotated[str | None, Header(description="the same as position")] = None
    x_headrace_forwarded: Annotated[str | None, Header(include_in_schema=False)] = None


def query_app(
    subject: Subject, placement: Placement, queries: Queries, upstream: Upstream, changes: Changes
) -> FastAPI:
    """An ASGI application that answers for the application of `subject`."""
    app = FastAPI(
        title=f"headrace: {subject.application_id}",
        description="Stores of the application, whichever worker has them; health and metrics of this worker.",
    )

    @app.exception_handler(Problem)
    async def cannot_answer(request: Request, error: Exception) -> JSONResponse:  # pyright: ignore[reportUnusedFunction]
        assert isinstance(error, Problem)
        headers = {} if error.retry_after_s is None else {"Retry-After": str(error.retry_after_s)}
        return JSONResponse(error.body(), error.status, headers)

    @app.exception_handler(RequestValidationError)
    async def wrong_parameter(request: Request, error: Exception) -> JSONResponse:  # pyright: ignore[reportUnusedFunction]
        assert isinstance(error, RequestValidationError)
        wrong = "; ".join(f"{'.'.join(map(str, each['loc'][1:]))}: {each['msg']}" for each in error.errors())
        return JSONResponse({"detail": wrong, "reason": Problem.reason}, 400)

    async def limits(name: str, asked: Asked) -> Limits:
        deadline = asyncio.get_running_loop().time() + asked.wait_ms / 1000
        position = asked.position or asked.x_position
        bound = parse_position(position) if position else {}
        if bound and asked.max_lag is not None:
            raise Problem("a standby does not know its position: leave out either position or max_lag", store=name)
        if bound:
            bound = await upstream.resolved(queries.find(name), bound, deadline)
        forwarded = asked.x_headrace_forwarded is not None
        return Limits(
            partition=asked.partition, bound=bound, deadline=deadline, forwarded=forwarded, max_lag=asked.max_lag
        )

    @app.get("/stores", tags=["stores"], response_model=list[StoreModel], responses=PROBLEMS)
    async def stores() -> Response:  # pyright: ignore[reportUnusedFunction]
        """All stores of the application, and who has their partitions."""
        return json_response(msgspec.json.encode(placement.describe()), "")

    @app.get("/stores/{name}", tags=["stores"], response_model=PageModel, responses=PROBLEMS)
    async def rows(  # pyright: ignore[reportUnusedFunction]
        name: str,
        asked: Annotated[Asked, Depends()],
        first: Annotated[str | None, Query(description="least key")] = None,
        last: Annotated[str | None, Query(description="greatest key, inclusive")] = None,
        prefix: Annotated[str | None, Query(description="what keys begin with (text and bytes)")] = None,
        time_from: From = None,
        to: To = None,
        reverse: Reverse = False,
        limit: Limit = 100,
        cursor: CursorText = None,
    ) -> Response:
        """A page of rows: of a range of keys, of a prefix, or all; of windows and sessions also by time.

        Partition after partition, each in the byte order of its keys (windows and sessions: by segment of time first).
        """
        words = {"first": first, "last": last, "prefix": prefix, "from": time_from, "to": to}
        within = await limits(name, asked)
        return page_response(await queries.page(name, None, words, within, reverse=reverse, limit=limit, cursor=cursor))

    @app.get("/stores/{name}/{key:path}", tags=["stores"], response_model=RowModel | PageModel, responses=PROBLEMS)
    async def row(  # pyright: ignore[reportUnusedFunction]
        name: str,
        key: str,
        asked: Annotated[Asked, Depends()],
        as_of: Annotated[str | None, Query(description=f"in a versioned store the version of then; {TIME}")] = None,
        start: Annotated[str | None, Query(description=f"the window that starts then; {TIME}")] = None,
        end: Annotated[str | None, Query(description=f"with start: the session that ends then; {TIME}")] = None,
        time_from: From = None,
        to: To = None,
        reverse: Reverse = False,
        limit: Limit = 1000,
        cursor: CursorText = None,
    ) -> Response:
        """The row of a key; of one with several (windows, sessions, versions from `from` to `to`) a page of them.

        A key is text, digits, `true`, base64 (for bytes) or JSON, as the store's keys are.
        """
        kind = queries.find(name).plan.kind
        within = await limits(name, asked)
        spans = time_from is not None or to is not None
        if start is not None or end is not None or as_of is not None or (kind not in TIMED and not spans):
            if spans:
                raise Problem("one row, or those of a span of time: leave out from and to", store=name)
            answer = await queries.row(name, key, {"as_of": as_of, "start": start, "end": end}, within)
            return json_response(answer.body, answer.position)
        words = {"from": time_from, "to": to}
        found = await queries.page(name, key, words, within, reverse=reverse, limit=limit, cursor=cursor)
        if not found.rows and cursor is None:
            raise absent(name, key)
        return page_response(found)

    @app.get(
        "/scan/{name}",
        tags=["stores"],
        responses={**PROBLEMS, 200: {"content": {"application/x-ndjson": {}}, "description": "a row a line"}},
        response_class=StreamingResponse,
    )
    async def scan(  # pyright: ignore[reportUnusedFunction]
        name: str,
        asked: Annotated[Asked, Depends()],
        first: Word = None,
        last: Word = None,
        prefix: Word = None,
        time_from: From = None,
        to: To = None,
        reverse: Reverse = False,
    ) -> StreamingResponse:
        """All rows that `/stores/{name}` gives page by page, a JSON object a line.

        Partitions that are moving or being restored are waited for, up to `wait_ms` each time. A last line with
        `detail` and without `key` says that the rest could not be told.
        """
        words = {"first": first, "last": last, "prefix": prefix, "from": time_from, "to": to}
        within = await limits(name, asked)
        lines = queries.stream(name, words, within, reverse=reverse, patience_s=asked.wait_ms / 1000)
        begin = await anext(lines, b"")  # a problem at the beginning has a status of its own

        async def all_lines() -> AsyncGenerator[bytes]:
            yield begin
            async for chunk in lines:
                yield chunk

        return StreamingResponse(all_lines(), media_type="application/x-ndjson")

    @app.get(
        "/changes/{name}",
        tags=["stores"],
        responses={**PROBLEMS, 200: {"content": {"text/event-stream": {}}, "description": "server-sent events"}},
        response_class=StreamingResponse,
    )
    async def follow(  # pyright: ignore[reportUnusedFunction]
        name: str,
        key: Key = None,
        last_event_id: Annotated[str | None, Header(description="go on behind this event")] = None,
    ) -> StreamingResponse:
        """The changes of a store as they are committed, those of one key or of all, as server-sent events.

        `ready` comes first, then `change` with a row; a null value says that the row was deleted, or has expired. An
        event's id is where to go on (`Last-Event-ID`).
        """
        events = await changes.follow(queries.find(name), key, last_event_id)
        return StreamingResponse(events, media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    health_routes(app, subject)
    metrics_routes(app, subject)
    return app


def json_response(body: bytes, position: str) -> Response:
    return Response(body, media_type="application/json", headers={HEADER: position} if position else None)


def page_response(page: PageOf) -> Response:
    return json_response(msgspec.json.encode({"rows": page.rows, "next": page.next}), page.position)
