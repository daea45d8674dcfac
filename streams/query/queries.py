"""Answers questions about stores, here or through the worker that can.

A key's partition is that of its hash, and whoever runs the task of that partition answers. Where it is not certain that
keys lie where their hash says (see `Entry.certain`), a key that is not found there is looked for in the other
partitions too. Rows are as of the last commit of their task. While a partition cannot be asked, the answer is a Problem
that says why, never one from elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Struct

from stores import StoreReader
from streams.query.bounds import Bound, reach, read_to
from streams.query.catalog import Entry
from streams.query.keys import parse_key, parse_time
from streams.query.peers import Get, Got, Peers, relayed
from streams.query.placement import Placement
from streams.query.position import position_text
from streams.query.problem import Absent, Moving, NotReady, Problem, Relayed
from streams.query.reading import reading
from streams.query.scope import TIMED, Cursor, Mark, Scope
from streams.query.subject import Subject

STREAMED_PAGE = 1_000
RETRY_S = 0.1


class Answer(NamedTuple):
    """JSON, and the position it was read at."""

    body: bytes
    position: str


class PageOf(msgspec.Struct, frozen=True):
    """Rows as JSON, and the cursor of the next page, None if there is none."""

    rows: list[msgspec.Raw]
    next: str | None
    position: str = ""


class Limits(Struct, frozen=True, kw_only=True):
    """What every question may say. `deadline` is on the loop's clock; `forwarded`: another worker asks on behalf of
    whoever asked it; `max_lag`: a standby may answer too that lacks no more records of the store's changelog."""

    partition: int | None = None
    bound: Bound
    deadline: float
    forwarded: bool = False
    max_lag: int | None = None


class Queries:
    """Owned by the query server's loop. Its methods raise Problem."""

    def __init__(self, subject: Subject, placement: Placement, peers: Peers) -> None:
        self._subject = subject
        self._placement = placement
        self._peers = peers

    def find(self, name: str) -> Entry:
        """Raises UnknownStore, NotReady."""
        return self._placement.catalog().find(name)

    # -- one row -----------------------------------------------------------------------------------------------------
    async def get(self, name: str, text: str) -> Answer:
        """The row of a key, of a store that has one row a key, of wherever it is."""
        entry = self.find(name)
        key = parse_key(text, entry.plan.key_serde)
        home = entry.partition_of(key)
        got = await self._got(entry, home, key)
        if not got.body and not entry.certain and entry.partitions > 1:
            others = (number for number in range(entry.partitions) if number != home)
            elsewhere = await asyncio.gather(*(self._got(entry, number, key) for number in others))
            got = next((each for each in elsewhere if each.body), got)
        if not got.body:
            raise absent(name, text)
        return Answer(got.body, got.position)

    def get_here(self, get: Get) -> Got:
        """What another worker has asked for."""
        try:
            entry = self.find(get.store)
            reader = self._reader(entry, get.partition)
            return self._read_got(entry, reader, get.partition, get.key)
        except Problem as problem:
            return Got(problem.status, msgspec.json.encode(problem.body()), "", problem.retry_after_s)

    async def _got(self, entry: Entry, partition: int, key: bytes) -> Got:
        reader = self._placement.here(entry, partition)
        if reader is not None:
            return self._read_got(entry, reader, partition, key)
        peer = self._peers.at(self._placement.elsewhere(entry, partition))
        got = await peer.get(Get(entry.name, partition, key))
        if got.status not in (200, 404):
            raise Relayed(got.status, msgspec.json.decode(got.body), got.retry_after_s)
        return got

    def _read_got(self, entry: Entry, reader: StoreReader, partition: int, key: bytes) -> Got:
        position = position_text(read_to(self._subject, entry, partition))
        row = reading(entry, lambda: entry.rows.get(reader, key))
        return Got(404) if row is None else Got(200, entry.rows.json(row), position)

    async def row(self, name: str, text: str, words: dict[str, str | None], limits: Limits) -> Answer:
        """One row: of a key, of a version (`as_of`), of a window (`start`) or of a session (`start` and `end`)."""
        entry = self.find(name)
        kind = entry.plan.kind
        as_of, start, end = (parse_time(words.get(word), word) for word in ("as_of", "start", "end"))
        if as_of is not None and kind != "versioned":
            raise Problem(f"store {name!r} is not versioned: leave out as_of", store=name)
        if (start is not None or end is not None) and (kind not in TIMED or start is None):
            raise Problem(
                f"store {name!r} is a {kind} store: leave out start and end"
                if kind not in TIMED
                else "end needs start",
                store=name,
            )
        key, rows = parse_key(text, entry.plan.key_serde), entry.rows

        def read(reader: StoreReader) -> dict[str, Any] | None:
            if start is not None:
                return rows.at(reader, key, start, end)
            return rows.get(reader, key) if as_of is None else rows.as_of(reader, key, as_of)

        for partitions in self._likely(entry, key, limits.partition):
            for partition in partitions:
                found = await self._row_in(entry, partition, text, words, limits, read)
                if found is not None:
                    return found
        raise absent(name, text)

    async def _row_in(
        self,
        entry: Entry,
        partition: int,
        text: str,
        words: dict[str, str | None],
        limits: Limits,
        read: Callable[[StoreReader], dict[str, Any] | None],
    ) -> Answer | None:
        reader = await self._bounded_reader(entry, partition, limits)
        if reader is not None:
            position = position_text(read_to(self._subject, entry, partition))
            row = reading(entry, lambda: read(reader))
            return None if row is None else Answer(entry.rows.json(row), position)
        try:
            body, position = await self._forward(entry, partition, f"/{quote(text, safe='')}", words, limits)
        except Relayed as problem:
            if problem.reason == Absent.reason:
                return None
            raise
        return Answer(body, position)

    # -- many --------------------------------------------------------------------------------------------------------
    async def page(
        self,
        name: str,
        text: str | None,
        words: dict[str, str | None],
        limits: Limits,
        *,
        reverse: bool,
        limit: int,
        cursor: str | None,
    ) -> PageOf:
        """Up to `limit` rows of a range of keys and times, or of one key; partition after partition, each in the order
        of its store. What can be told is told, and a problem on the way is that of the next page."""
        entry = self.find(name)
        scope = Scope.parse(entry.plan, words, text, reverse=reverse)
        partitions, begin = self._order(entry, scope, limits), None if cursor is None else Cursor.parse(cursor)
        at = 0
        if begin is not None:
            if begin.partition not in partitions:
                raise Problem(f"cursor={cursor!r} is of another question", store=name)
            at = partitions.index(begin.partition)
        rows: list[msgspec.Raw] = []
        positions: list[str] = []
        for partition in partitions[at:]:
            mark = begin.mark if begin is not None and begin.partition == partition else None
            here = Cursor(partition, mark)
            if len(rows) == limit:
                return PageOf(rows, here.text(), joined(positions))
            try:
                found = await self._page_in(entry, partition, scope, mark, limit - len(rows), text, words, limits)
            except Problem:
                if not rows:
                    raise
                return PageOf(rows, here.text(), joined(positions))
            rows += found.rows
            positions.append(found.position)
            if found.next is not None:
                return PageOf(rows, found.next, joined(positions))
            if rows and scope.key is not None:
                break  # a key is in one partition
        return PageOf(rows, None, joined(positions))

    async def stream(
        self, name: str, words: dict[str, str | None], limits: Limits, *, reverse: bool, patience_s: float
    ) -> AsyncGenerator[bytes]:
        """All rows of a range, a line each; in pages, so that partitions may move meanwhile: what cannot be asked is
        asked again for `patience_s`. What cannot be told in the end is told in a last line, with `detail`."""
        loop = asyncio.get_running_loop()
        cursor: str | None = None
        give_up = loop.time() + patience_s
        while True:
            try:
                page = await self.page(name, None, words, limits, reverse=reverse, limit=STREAMED_PAGE, cursor=cursor)
            except Problem as problem:
                if not problem.retriable or loop.time() >= give_up:
                    if cursor is None:
                        raise
                    yield msgspec.json.encode(problem.body()) + b"\n"
                    return
                await asyncio.sleep(RETRY_S)
                continue
            give_up = loop.time() + patience_s
            cursor = page.next
            yield b"".join(bytes(row) + b"\n" for row in page.rows)
            if cursor is None:
                return

    async def _page_in(
        self,
        entry: Entry,
        partition: int,
        scope: Scope,
        mark: Mark | None,
        limit: int,
        text: str | None,
        words: dict[str, str | None],
        limits: Limits,
    ) -> PageOf:
        reader = await self._bounded_reader(entry, partition, limits)
        if reader is not None:
            return await asyncio.to_thread(self._read_page, entry, reader, partition, scope, mark, limit)
        more = {
            "limit": str(limit),
            "cursor": Cursor(partition, mark).text(),
            "reverse": "true" if scope.reverse else None,
        }
        key = "" if text is None else f"/{quote(text, safe='')}"
        try:
            body, position = await self._forward(entry, partition, key, words | more, limits)
        except Relayed as problem:
            if problem.reason == Absent.reason:
                return PageOf([], None)
            raise
        return replace_position(msgspec.json.decode(body, type=PageOf), position)

    def _read_page(
        self, entry: Entry, reader: StoreReader, partition: int, scope: Scope, mark: Mark | None, limit: int
    ) -> PageOf:
        """In a thread of its own: a scan takes its time."""
        position = position_text(read_to(self._subject, entry, partition))
        json = entry.rows.json

        def read() -> PageOf:
            found = [
                (mark, msgspec.Raw(json(row))) for mark, row in islice(entry.rows.scan(reader, scope, mark), limit + 1)
            ]
            following = Cursor(partition, found[limit - 1][0]).text() if len(found) > limit else None
            return PageOf([row for _, row in found[:limit]], following, position)

        return reading(entry, read)

    # -- where -------------------------------------------------------------------------------------------------------
    def _likely(self, entry: Entry, key: bytes, partition: int | None) -> Iterable[Sequence[int]]:
        """The partitions to look into for a key, those first where it should be."""
        if partition is not None:
            return [[checked(entry, partition)]]
        home = entry.partition_of(key)
        others = [number for number in range(entry.partitions) if number != home]
        return [[home]] if entry.certain or not others else [[home], others]

    def _order(self, entry: Entry, scope: Scope, limits: Limits) -> list[int]:
        if limits.partition is not None:
            return [checked(entry, limits.partition)]
        if scope.key is not None:
            return [number for group in self._likely(entry, scope.key, None) for number in group]
        numbers = list(range(entry.partitions))
        return numbers[::-1] if scope.reverse else numbers

    def _reader(self, entry: Entry, partition: int) -> StoreReader:
        """Raises Moving if the partition is not here."""
        reader = self._placement.here(entry, partition)
        if reader is None:
            raise Moving(
                f"partition {partition} of store {entry.name!r} is not with the worker that was asked (any more): "
                "ask again",
                store=entry.name,
            )
        return reader

    async def _bounded_reader(self, entry: Entry, partition: int, limits: Limits) -> StoreReader | None:
        """The partition's rows, as far as wanted; None if another worker has them."""
        if limits.max_lag is not None:
            reader = self._placement.here_or_standing_by(entry, partition, limits.max_lag)
            if reader is None and limits.forwarded:
                raise too_far_behind(entry, partition, limits.max_lag)
            return reader
        reader = self._placement.here(entry, partition)
        if reader is None:
            return self._reader(entry, partition) if limits.forwarded else None
        if limits.bound:

            def still() -> StoreReader:
                return self._reader(entry, partition)

            await reach(self._subject, entry, partition, limits.bound, limits.deadline, still)
            return still()
        return reader

    async def _forward(
        self, entry: Entry, partition: int, key: str, words: dict[str, str | None], limits: Limits
    ) -> tuple[bytes, str]:
        """What the partition's worker answers; where a standby will do, and that one cannot, what a standby answers."""
        try:
            return await self._ask(self._placement.elsewhere(entry, partition), entry, partition, key, words, limits)
        except (Moving, NotReady, Relayed) as problem:
            if limits.max_lag is None or problem.reason == Absent.reason:
                raise
            for endpoint in self._placement.standing_by_elsewhere(entry, partition):
                with suppress(NotReady):
                    return await self._ask(endpoint, entry, partition, key, words, limits)
            raise

    async def _ask(
        self, endpoint: str, entry: Entry, partition: int, key: str, words: dict[str, str | None], limits: Limits
    ) -> tuple[bytes, str]:
        left_s = max(0.0, limits.deadline - asyncio.get_running_loop().time())
        asked = {word: value for word, value in words.items() if value is not None}
        asked |= {"partition": str(partition), "wait_ms": str(round(left_s * 1000))}
        if limits.bound:
            asked["position"] = position_text(limits.bound)
        if limits.max_lag is not None:
            asked["max_lag"] = str(limits.max_lag)
        target = f"/stores/{quote(entry.name, safe='')}{key}?{urlencode(asked)}"
        response = await self._peers.at(endpoint).request("GET", target, timeout_s=left_s + 5.0)
        if response.status != 200:
            raise relayed(response)
        return response.body, response.headers.get("x-position", "")


def too_far_behind(entry: Entry, partition: int, max_lag: int) -> NotReady:
    return NotReady(
        "stale",
        f"nothing of partition {partition} of store {entry.name!r} is with this worker that lacks no more than "
        f"{max_lag:,} records: ask again, or let more be missing (max_lag)",
        store=entry.name,
    )


def absent(name: str, text: str) -> Absent:
    return Absent(f"store {name!r} has nothing for the key {text!r}", store=name)


def checked(entry: Entry, partition: int) -> int:
    if not 0 <= partition < entry.partitions:
        raise Problem(f"store {entry.name!r} has partitions 0 to {entry.partitions - 1}", store=entry.name)
    return partition


def joined(positions: Iterable[str]) -> str:
    return ",".join(position for position in positions if position)


def replace_position(page: PageOf, position: str) -> PageOf:
    return PageOf(page.rows, page.next, position)
