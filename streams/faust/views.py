"""Faust web views of the stores of a mounted application: what its query server answers, at Faust's address."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import faust
import msgspec

from streams.errors import QueryError
from streams.query.problem import NotReady, Problem
from streams.query.queries import Limits, PageOf, absent
from streams.query.scope import TIMED

if TYPE_CHECKING:
    from streams.faust.bridge import Bridge

LONGEST_PAGE = 10_000
WAIT_S = 5.0
ROW_WORDS = ("as_of", "start", "end")
SPAN_WORDS = ("from", "to")
PAGE_WORDS = ("first", "last", "prefix", *SPAN_WORDS)


def add_views(host: faust.App, bridge: Bridge, path: str) -> None:
    """`PATH/STORE/` and `PATH/STORE/KEY/`, with the parameters `first`, `last`, `prefix`, `from`, `to`, `reverse`,
    `limit`, `cursor`; of a row `as_of`, `start`, `end`."""
    place = path.strip("/")
    prefix = f"/{place}" if place else ""

    async def rows(view: Any, request: Any, store: str) -> Any:
        asked = request.query

        async def read() -> bytes:
            return page_json(await page(bridge, store, None, asked, PAGE_WORDS))

        return await answered(view, read)

    async def row(view: Any, request: Any, store: str, key: str) -> Any:
        asked = request.query

        async def read() -> bytes:
            queries = bridge.queries()
            one = any(word in asked for word in ROW_WORDS)
            spans = any(word in asked for word in SPAN_WORDS)
            if one or (queries.find(store).plan.kind not in TIMED and not spans):
                words = {word: asked.get(word) for word in ROW_WORDS}
                return (await queries.row(store, key, words, limits())).body
            found = await page(bridge, store, key, asked, SPAN_WORDS)
            if not found.rows and "cursor" not in asked:
                raise absent(store, key)
            return page_json(found)

        return await answered(view, read)

    views: tuple[tuple[str, str, Any], ...] = (
        (f"{prefix}/{{store}}/", "rows", rows),
        (f"{prefix}/{{store}}/{{key:.+}}/", "row", row),
    )
    for pattern, name, view in views:
        add: Any = host.page(pattern, name=f"/{place}:{name}")  # whose type knows nothing of what the pattern names
        add(view)


async def page(bridge: Bridge, store: str, key: str | None, asked: Any, words: tuple[str, ...]) -> PageOf:
    try:
        limit = int(asked.get("limit", "100"))
    except ValueError:
        limit = 0
    if not 1 <= limit <= LONGEST_PAGE:
        raise Problem(f"limit={asked['limit']!r}: it is from 1 to {LONGEST_PAGE}", store=store)
    return await bridge.queries().page(
        store,
        key,
        {word: asked.get(word) for word in words},
        limits(),
        reverse=asked.get("reverse") == "true",
        limit=limit,
        cursor=asked.get("cursor"),
    )


def page_json(found: PageOf) -> bytes:
    return msgspec.json.encode({"rows": found.rows, "next": found.next})


def limits() -> Limits:
    return Limits(bound={}, deadline=asyncio.get_running_loop().time() + WAIT_S)


async def answered(view: Any, read: Callable[[], Awaitable[bytes]]) -> Any:
    """The answer, or why there is none, with its status."""
    try:
        return json(view, 200, await read())
    except Problem as problem:
        return json(view, problem.status, msgspec.json.encode(problem.body()), problem.retry_after_s)
    except QueryError as error:
        return json(view, 503, msgspec.json.encode(NotReady("stopping", str(error)).body()), 1)


def json(view: Any, status: int, body: bytes, retry_after_s: int | None = None) -> Any:
    headers = None if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    return view.bytes(body, content_type="application/json", status=status, headers=headers)
