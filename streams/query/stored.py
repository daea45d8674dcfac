"""Rows as their store has them, for programs in the worker's process: with their own types, whoever has the partition.

What the worker's tasks have is read at once; a page of another worker's is asked of it, values as the bytes that the
store's codec writes, and decoded here. So a value is the same wherever it comes from.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import msgspec

from stores import BufferSpec, StoreReader
from streams.query.access import AsgiApp, AsgiScope, Receive, Send
from streams.query.catalog import Entry
from streams.query.fast_gets import JSON, MSGPACK, body_of, reply
from streams.query.finding import Found, scan
from streams.query.peers import Peers, relayed
from streams.query.placement import Placement
from streams.query.problem import Moving, Problem
from streams.query.reading import reading
from streams.query.scope import Mark, Scope

PAGE = 500
"""Rows that are read, or asked of another worker, at a time."""
ROWS = "/peers/rows"


class Wanted(msgspec.Struct, frozen=True, array_like=True):
    """The rows of a scope in one partition behind `after`, at most `limit` of them."""

    store: str
    partition: int
    scope: Scope
    after: Mark | None
    limit: int


class Row(msgspec.Struct, frozen=True, array_like=True):
    """`Found`, with its state as bytes."""

    key: bytes
    value: bytes | None
    timestamp: int
    time: int
    rank: int
    valid_to: int | None


encode: Callable[[Any], bytes] = msgspec.msgpack.Encoder().encode
decode_wanted = msgspec.msgpack.Decoder(Wanted).decode
decode_rows = msgspec.msgpack.Decoder(list[Row]).decode


class StoredReads:
    """Owned by the event loop it is used in. Its methods raise Problem, which says whether asking again can help."""

    def __init__(self, placement: Placement, peers: Peers) -> None:
        self._placement = placement
        self._peers = peers

    def find(self, name: str) -> Entry:
        """Raises UnknownStore, NotReady."""
        return self._placement.catalog().find(name)

    async def first(self, entry: Entry, scope: Scope) -> Found | None:
        """The first row of a scope that names a key."""
        assert scope.key is not None
        for partition in likely(entry, scope.key):
            reader = self._placement.here(entry, partition)
            if reader is not None:  # a few rows at most, read in less time than a thread takes to start
                found = reading(entry, lambda reader=reader: next(scan(reader, scope), None))
            else:
                found = next(iter(await self._ask(entry, partition, scope, None, 1)), None)
            if found is not None:
                return found
        return None

    def partitions(self, entry: Entry, scope: Scope) -> Sequence[int]:
        """Where its rows may be, in the order in which they are read."""
        if scope.key is not None:
            return likely(entry, scope.key)
        return range(entry.partitions)[::-1] if scope.reverse else range(entry.partitions)

    async def page(self, entry: Entry, partition: int, scope: Scope, after: Mark | None) -> Sequence[Found]:
        """The next rows of a scope in one partition, in the order of its store; fewer than `PAGE` are the last."""
        reader = self._placement.here(entry, partition)
        if reader is None:
            return await self._ask(entry, partition, scope, after, PAGE)
        return await asyncio.to_thread(read, entry, reader, scope, after, PAGE)

    def rows_here(self, wanted: Wanted) -> tuple[Entry, StoreReader]:
        """Raises Moving if the partition is not with this worker."""
        entry = self.find(wanted.store)
        reader = self._placement.here(entry, wanted.partition)
        if reader is None:
            raise Moving(
                f"partition {wanted.partition} of store {wanted.store!r} is not with the worker that was asked (any "
                "more): ask again",
                store=wanted.store,
            )
        return entry, reader

    async def _ask(self, entry: Entry, partition: int, scope: Scope, after: Mark | None, limit: int) -> Sequence[Found]:
        wanted = Wanted(entry.name, partition, scope, after, limit)
        peer = self._peers.at(self._placement.elsewhere(entry, partition))
        response = await peer.request("POST", ROWS, body=encode(wanted))
        if response.status != 200:
            raise relayed(response)
        return reading(entry, lambda: [as_found(entry, row) for row in decode_rows(response.body)])


class PeerRows:
    """An ASGI application before another one: answers what other workers ask."""

    def __init__(self, app: AsgiApp, reads: StoredReads) -> None:
        self._app = app
        self._reads = reads

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != ROWS or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        body = await body_of(receive)
        if body is None:
            return
        try:
            wanted = decode_wanted(body)
            entry, reader = self._reads.rows_here(wanted)
            rows = await asyncio.to_thread(written, entry, reader, wanted)
        except msgspec.DecodeError as error:
            await reply(send, 400, JSON, msgspec.json.encode({"detail": str(error), "reason": Problem.reason}))
        except Problem as problem:
            after = () if problem.retry_after_s is None else ((b"retry-after", b"%d" % problem.retry_after_s),)
            await reply(send, problem.status, (*JSON, *after), msgspec.json.encode(problem.body()))
        else:
            await reply(send, 200, MSGPACK, encode(rows))


def likely(entry: Entry, key: bytes) -> Sequence[int]:
    """The partitions to look into for a key, the one where it should be first."""
    home = entry.partition_of(key)
    return [home] if entry.certain else [home, *(number for number in range(entry.partitions) if number != home)]


def read(entry: Entry, reader: StoreReader, scope: Scope, after: Mark | None, limit: int) -> list[Found]:
    return reading(entry, lambda: list(islice(scan(reader, scope, after), limit)))


def written(entry: Entry, reader: StoreReader, wanted: Wanted) -> list[Row]:
    return [as_row(entry, found) for found in read(entry, reader, wanted.scope, wanted.after, wanted.limit)]


def as_row(entry: Entry, found: Found) -> Row:
    spec = entry.plan.spec
    assert not isinstance(spec, BufferSpec)
    value = None if found.value is None else spec.codec.encode(found.value)
    return Row(found.key, value, found.timestamp, found.time, found.rank, found.valid_to)


def as_found(entry: Entry, row: Row) -> Found:
    spec = entry.plan.spec
    assert not isinstance(spec, BufferSpec)
    value = None if row.value is None else spec.codec.decode(row.value)
    return Found(row.key, value, row.timestamp, row.time, row.rank, row.valid_to)
