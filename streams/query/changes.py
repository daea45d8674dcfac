"""The changes of a store as server-sent events, read from its changelog.

The changelog has them all, whichever workers the partitions are with, in the order of their commits, and keeps them: so
any worker can serve them, a rebalance goes unnoticed, and an event's id, which is a position in the changelog, says
where to go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

import msgspec
from confluent_kafka import Message

from stores.timed_keys import SESSION_KEYS, WINDOW_KEYS, TimedKeys
from streams.errors import StreamsError
from streams.query.catalog import Entry
from streams.query.keys import parse_key
from streams.query.problem import NotReady, Problem
from streams.query.subject import Subject
from streams.runtime.consumer import RecordConsumer
from streams.runtime.internal_topics import admin_client
from streams.runtime.log_ends import BrokerLogEnds, connected
from streams.runtime.router import Place

TIMED_KEYS: Mapping[str, TimedKeys] = {"window": WINDOW_KEYS, "session": SESSION_KEYS}
FOLLOWERS = 32
"""So many may follow at a time; each has a consumer of its own."""
FETCH_RECORDS = 500
WAIT_S = 0.25
ANSWER_WAIT_S = 10.0
ALIVE_EVERY_S = 15.0
"""How often a quiet stream says that it is there, which is also how the server learns that a listener is not."""


class Feed:
    """A consumer of a store's changelog. Its calls block; they come from several threads, one after the other."""

    def __init__(self, subject: Subject, places: Sequence[Place], begin: Mapping[Place, int]) -> None:
        self._subject = subject
        self._places = places
        self.next = dict(begin)
        self._consumer: RecordConsumer | None = None
        self._lock = Lock()
        self._closed = False

    def open(self) -> None:
        """Raises StreamsError: the broker does not answer."""
        unknown = [place for place in self._places if place not in self.next]
        if unknown:
            admin = connected(admin_client(self._subject.options), unknown[0][0], ANSWER_WAIT_S)
            ends = BrokerLogEnds(lambda: admin_client(self._subject.options), admin, committed=True)
            self.next |= ends.request(unknown).result(ANSWER_WAIT_S)
        with self._lock:
            self._consumer = RecordConsumer(self._subject.options, "changes", reset="latest")
            self._consumer.assign({place: self.next[place] for place in self._places})

    def fetch(self) -> list[Message]:
        """Records, waiting a little for the first. Raises StreamsError."""
        with self._lock:
            if self._closed or self._consumer is None:
                return []
            records: list[Message] = []
            for message in self._consumer.fetch(FETCH_RECORDS, WAIT_S):
                if message.error() is None:
                    records.append(message)
                else:
                    event = message.error()
                    if event is not None and event.code() != event._PARTITION_EOF:  # pyright: ignore[reportPrivateUsage]
                        self._consumer.check(message)
            return records

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._consumer is not None:
                self._consumer.close()

    def event_id(self) -> str:
        """Where to go on."""
        return ",".join(f"{partition}:{offset}" for (_, partition), offset in sorted(self.next.items()))


class Changes:
    """Owned by the query server's loop."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._threads = ThreadPoolExecutor(FOLLOWERS, thread_name_prefix="changes")
        self._followers = 0

    async def follow(self, entry: Entry, text: str | None, last_event_id: str | None) -> AsyncGenerator[bytes]:
        """The events, from now on or from behind the last one, of one key or of all.

        Raises:
            Problem: the store has no changelog to read, or the key or the event's id is none.
            NotReady: the broker does not answer, or too many follow already.
        """
        topic, count = self._topic(entry)
        key = None if text is None else parse_key(text, entry.plan.key_serde)
        numbers = [entry.partition_of(key)] if key is not None and entry.certain and entry.subtopology else range(count)
        places = [(topic, number) for number in numbers]
        begin = {} if last_event_id is None else parse_event_id(last_event_id, places)
        if self._followers >= FOLLOWERS:
            raise NotReady("busy", f"{FOLLOWERS} follow stores here already: ask another worker", store=entry.name)
        events = self._events(entry, key, Feed(self._subject, places, begin))
        await anext(events)  # it has begun: so it also ends where the follower is gone by now and nobody reads it
        return events

    async def _events(self, entry: Entry, key: bytes | None, feed: Feed) -> AsyncGenerator[bytes]:
        """What comes first is empty and not to be sent: the feed is open then."""
        loop = asyncio.get_running_loop()
        self._followers += 1
        try:
            try:
                await self._run(feed.open)
            except StreamsError as error:
                raise NotReady("unreachable", str(error), store=entry.name) from error
            yield b""
            yield event("ready", feed.event_id(), b"{}")
            quiet_since = loop.time()
            while True:
                try:
                    records = await self._run(feed.fetch)
                except StreamsError as error:
                    problem = NotReady("unreachable", str(error), store=entry.name)
                    yield event("problem", feed.event_id(), msgspec.json.encode(problem.body()))
                    return
                chunk: list[bytes] = []
                for record in records:
                    feed.next[record.topic() or "", record.partition() or 0] = (record.offset() or 0) + 1
                    row = change_of(entry, record, key)
                    if row is not None:
                        chunk.append(event("change", feed.event_id(), row))
                if chunk:
                    yield b"".join(chunk)
                    quiet_since = loop.time()
                elif loop.time() - quiet_since > ALIVE_EVERY_S:
                    yield b": nothing new\n\n"
                    quiet_since = loop.time()
        finally:
            self._followers -= 1
            self._threads.submit(feed.close)

    def _run(self, call: object) -> asyncio.Future[list[Message]]:
        return asyncio.get_running_loop().run_in_executor(self._threads, call)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportUnknownVariableType]

    def _topic(self, entry: Entry) -> tuple[str, int]:
        """The topic whose records are the store's changes, and its partitions."""
        plan = self._subject.partitions
        assert plan is not None, "an entry is made of a plan"
        if entry.plan.changelog is not None:
            return entry.plan.changelog, entry.partitions
        processed = any(
            table.store.name == entry.name and table.supplier is not None for table in plan.plan.global_tables
        )
        if entry.plan.source is None or processed:
            raise Problem(
                f"store {entry.name!r} has no changelog, so its changes cannot be followed: read it from time to time",
                store=entry.name,
            )
        return entry.plan.source, plan.counts[entry.plan.source]


def change_of(entry: Entry, record: Message, wanted: bytes | None) -> bytes | None:
    """A changelog record as JSON; None if it is of another key, or no row."""
    key = record.key()
    if not isinstance(key, bytes) or (wanted is not None and row_key(entry, key) != wanted):
        return None
    value = record.value()
    raw = value.encode() if isinstance(value, str) else value
    try:
        row = row_of(entry, key, raw, record.timestamp()[1])
    except Exception:  # a source topic may have records that do not decode; the application has passed over them
        return None
    return entry.rows.json(row)


def row_of(entry: Entry, key: bytes, value: bytes | None, timestamp: int) -> dict[str, Any]:
    """A changelog record as a row. Raises whatever the serdes of the store raise."""
    keys, time, rank = TIMED_KEYS.get(entry.plan.kind), 0, 0
    if keys is not None:
        time, rank = keys.suffix.unpack_from(key, len(key) - keys.suffix_bytes)
    return entry.rows.change(row_key(entry, key), time, rank, value, timestamp)


def row_key(entry: Entry, key: bytes) -> bytes:
    """The key of a changelog record without the time behind it."""
    keys = TIMED_KEYS.get(entry.plan.kind)
    return key if keys is None else key[: -keys.suffix_bytes]


def event(name: str, number: str, data: bytes) -> bytes:
    return f"event: {name}\nid: {number}\ndata: ".encode() + data + b"\n\n"


def parse_event_id(text: str, places: Sequence[Place]) -> dict[Place, int]:
    """Raises Problem."""
    offsets: dict[int, int] = {}
    for part in text.split(","):
        partition, _, offset = part.partition(":")
        if not (partition.isdecimal() and offset.isdecimal()):
            raise Problem(f"Last-Event-ID {text!r} is not the id of an event of a store's changes")
        offsets[int(partition)] = int(offset)
    return {place: offsets[place[1]] for place in places if place[1] in offsets}
