"""Fetch (key 1), versions 4-18.

v4 record batches, isolation level · v5 log start offset · v7 sessions (KIP-227) · v9 leader epochs · v10 zstd ·
v11 rack · v12 flexible, last fetched epoch, diverging epoch in a tagged field (KIP-595) · v13 topic ids instead of
names · v15 replica state in a tagged field · v16 endpoints · v17 directory id · v18 high watermark (tagged, for
replicas). Batches with zstd go to clients of all versions, as since Kafka 4.0.
With isolation level read_committed it ends at the last stable offset, and the answer names the aborted transactions.
A fetch waits until `min_bytes` are there or `max_wait` is over. Batches come whole; the first one of the first
partition with data comes whatever its size. Records are empty, never null, where there is no data.

Hand-coded: this is the hot path (`broker/fetch`).
"""

from __future__ import annotations

import asyncio
from struct import error as StructError
from typing import TypeAlias

from kio.schema.errors import ErrorCode

from broker.fetch.answer import encode
from broker.fetch.full import FullFetch
from broker.fetch.incremental import SessionFetch
from broker.fetch.request import (
    FINAL_EPOCH,
    FLEXIBLE_FROM,
    NO_SESSION,
    OPENING_EPOCH,
    READ_COMMITTED,
    TOPIC_IDS_FROM,
    FetchRequest,
    read_request,
)
from broker.handlers.denied_topics import denied_topics
from broker.log.waiter import Waiter
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.protocol.batches import Buffer
from broker.protocol.errors import MalformedRequestError
from broker.security.operation import AclOperation
from broker.server.context import RequestContext
from broker.state import BrokerState

Fetch: TypeAlias = FullFetch | SessionFetch


@api(ApiKey.FETCH, 4, 18, raw=True, flexible_from=FLEXIBLE_FROM)
def handle(ctx: RequestContext, frame: memoryview, position: int) -> list[Buffer] | asyncio.Future[list[Buffer]]:
    try:
        request = read_request(frame, position, ctx.version)
    except (StructError, ValueError) as error:
        raise MalformedRequestError(str(error)) from error
    if request.session_epoch == FINAL_EPOCH and request.session_id == NO_SESSION:
        fetch: Fetch | ErrorCode = FullFetch(ctx.broker, request)
    else:
        fetch = in_session(ctx.broker, request)
        if isinstance(fetch, ErrorCode):
            return encode(request.version, (), committed=False, error=fetch)
    if ctx.broker.authorizer is not None:
        fetch.denied = denied_topics(ctx, AclOperation.READ, fetch.topics())
    size, at_once, parts = fetch.answer()
    if at_once or size >= request.min_bytes or request.max_wait <= 0:
        fetch.told()
        return parts
    return ParkedFetch(fetch, request, request.min_bytes - size).future


def in_session(broker: BrokerState, request: FetchRequest) -> Fetch | ErrorCode:
    """A fetch that opens, continues or closes a session."""
    sessions = broker.fetch_sessions
    if request.session_epoch in (OPENING_EPOCH, FINAL_EPOCH):
        sessions.close(request.session_id)
        opened = sessions.open(request) if request.session_epoch == OPENING_EPOCH else None
        return FullFetch(broker, request) if opened is None else SessionFetch(broker, request, opened)
    session = sessions.get(request.session_id)
    if session is None:
        return ErrorCode.fetch_session_id_not_found
    if session.by_topic_id != (request.version >= TOPIC_IDS_FROM):
        return ErrorCode.fetch_session_topic_id_error
    if session.epoch != request.session_epoch:
        return ErrorCode.invalid_fetch_session_epoch
    sessions.update(session, request)
    session.advance()
    if sessions.get(session.id) is None:
        if session.partitions:
            return ErrorCode.fetch_session_id_not_found  # too large: the client goes on with full fetches
        return FullFetch(broker, request)
    return SessionFetch(broker, request, session)


class ParkedFetch:
    """A fetch that waits for more bytes in any of its partitions, or for its time to be over."""

    __slots__ = ("fetch", "future", "missing", "queues", "size", "timer", "woken")

    def __init__(self, fetch: Fetch, request: FetchRequest, missing: int) -> None:
        loop = asyncio.get_running_loop()
        self.fetch = fetch
        self.missing = missing
        """Bytes to come before it is worth an answer."""
        self.future: asyncio.Future[list[Buffer]] = loop.create_future()
        self.woken = False
        self.size = 0
        """Bytes of records that were read and are not with the connection yet."""
        self.timer = loop.call_later(request.max_wait / 1000, self.complete)
        committed = request.isolation_level == READ_COMMITTED
        self.queues: list[set[Waiter]] = [log.stable.waiters if committed else log.waiters for log in fetch.logs()]
        """Where it waits."""
        for queue in self.queues:
            queue.add(self)
        self.future.add_done_callback(self.leave)

    def more(self, size: int) -> None:
        self.missing -= size
        if self.missing <= 0 and not self.woken:
            self.woken = True  # appends of the same tick are answered together
            self.future.get_loop().call_soon(self.complete)

    def gone(self) -> None:
        self.more(self.missing)

    def complete(self) -> None:
        if not self.future.done():
            self.size, _, parts = self.fetch.answer()
            self.fetch.broker.unsent += self.size  # a hundred may be answered before the first one is written
            self.fetch.told()
            self.future.set_result(parts)

    def leave(self, _: asyncio.Future[list[Buffer]]) -> None:
        """Answered, or the client has gone."""
        self.timer.cancel()
        self.fetch.broker.unsent -= self.size
        for queue in self.queues:
            queue.discard(self)
