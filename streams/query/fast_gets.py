"""The questions that come by the thousand, answered before the web framework sees them.

`GET /stores/{store}/{key}` of a store with one row a key, and what workers ask each other. Whatever else a request says
(a query string, another kind of store) is the framework's, which has these routes too, and describes them.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from urllib.parse import unquote

import msgspec

from streams.query.access import AsgiApp, AsgiScope, Receive, Send
from streams.query.peers import GETS, decode_gets
from streams.query.position import HEADER
from streams.query.problem import NotReady, Problem
from streams.query.queries import Queries

STORES = b"/stores/"
POSITION_HEADER = HEADER.lower().encode()
Headers = tuple[tuple[bytes, bytes], ...]
JSON: Headers = ((b"content-type", b"application/json"),)
MSGPACK: Headers = ((b"content-type", b"application/msgpack"),)
ONE_ROW = frozenset({"key_value", "versioned", "custom"})
encode_got = msgspec.msgpack.Encoder().encode


class FastGets:
    """An ASGI application before another one."""

    def __init__(self, app: AsgiApp, queries: Queries) -> None:
        self._app = app
        self._queries = queries

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path: bytes = scope["raw_path"]
            if scope["method"] == "GET" and not scope["query_string"] and path.startswith(STORES):
                store, slash, key = path[len(STORES) :].partition(b"/")
                if slash and self._is_plain(unquote(store.decode("latin-1")), scope):
                    await self._get(unquote(store.decode("latin-1")), unquote(key.decode("latin-1")), send)
                    return
            elif scope["method"] == "POST" and scope["path"] == GETS:
                await self._answer_peer(receive, send)
                return
        try:
            await self._app(scope, receive, send)
        except asyncio.CancelledError:  # it waits for something while the server stops
            stopping = NotReady("stopping", "the worker is stopping: ask another one")
            with suppress(Exception):  # the answer may have begun
                await reply(send, 503, (*JSON, (b"retry-after", b"1")), msgspec.json.encode(stopping.body()))

    def _is_plain(self, store: str, scope: AsgiScope) -> bool:
        if any(name == POSITION_HEADER for name, _ in scope["headers"]):
            return False
        try:
            return self._queries.find(store).plan.kind in ONE_ROW
        except Problem:
            return False  # the framework's route says what is wrong

    async def _get(self, store: str, key: str, send: Send) -> None:
        try:
            body, position = await self._queries.get(store, key)
        except Problem as problem:
            headers = JSON
            if problem.retry_after_s is not None:
                headers += ((b"retry-after", b"%d" % problem.retry_after_s),)
            await reply(send, problem.status, headers, msgspec.json.encode(problem.body()))
        else:
            await reply(send, 200, (*JSON, (POSITION_HEADER, position.encode())), body)

    async def _answer_peer(self, receive: Receive, send: Send) -> None:
        body = await body_of(receive)
        if body is None:
            return
        try:
            gets = decode_gets(body)
        except msgspec.DecodeError as error:
            await reply(send, 400, JSON, msgspec.json.encode({"detail": str(error), "reason": "bad-question"}))
            return
        await reply(send, 200, MSGPACK, encode_got([self._queries.get_here(get) for get in gets]))


async def body_of(receive: Receive) -> bytes | None:
    """The body of a request; None: whoever asked is gone."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


async def reply(send: Send, status: int, headers: Headers, body: bytes) -> None:
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})
