"""The tails that are being watched, as server-sent events. Each has a consumer of its own, which is closed when its
watcher goes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any, TypeVar

import msgspec
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from msgspec import Struct

from streams.cluster.beginning import Beginning, first_offsets
from streams.cluster.clients import kafka_message
from streams.cluster.partitions import offset_ranges, partition_ids
from streams.dashboard.cluster_access import ClusterAccess, asking
from streams.dashboard.record_filter import RecordFilter
from streams.dashboard.record_view import RecordView
from streams.dashboard.tail import Tail
from streams.query.problem import NotReady, Problem

T = TypeVar("T")

TAILS = 16
"""So many may be watched at a time on a worker."""
BATCH_S = 0.25
ALIVE_EVERY_S = 15.0
"""How often a quiet tail says that it is there, which is also how the server learns that its watcher is not."""


class TailRequest(Struct, frozen=True, kw_only=True):
    """`partition` None: all of them."""

    topic: str
    begin: Beginning
    partition: int | None
    text: str
    where: str


class OpenTail:
    """A tail and its consumer. Its calls block; they come from several threads, one after the other."""

    def __init__(self, cluster: ClusterAccess, request: TailRequest, view: RecordView) -> None:
        """Raises Problem: the expression is none."""
        self._cluster = cluster
        self._request = request
        self._view = view
        self._wanted = RecordFilter(request.text, request.where)
        self._lock = Lock()
        self._client: Consumer | None = None
        self._closed = False
        self._tail: Tail | None = None

    def open(self) -> dict[str, Any]:
        """Where it begins. Raises Problem: there is no such topic or partition, or nobody answers."""
        topic = self._request.topic
        with self._lock, asking(self._cluster):
            client = self._client = self._cluster.consumer()
            partitions = partition_ids(client, topic)
            only = self._request.partition
            if only is not None and only not in partitions:
                raise Problem(f"topic {topic!r} has no partition {only}, it has {len(partitions)}")
            ranges = offset_ranges(client, topic, partitions if only is None else [only])
            starts = first_offsets(client, topic, ranges, self._request.begin)
            ends = {partition: high for partition, (_, high) in ranges.items()}
            client.assign([TopicPartition(topic, partition, offset) for partition, offset in starts.items()])
            feed = ConsumerFeed(client, topic)
            self._tail = Tail(topic, feed, self._view, self._wanted, starts=starts, ends=ends, clock=time.perf_counter)
        return {"partitions": len(partitions), "starts": starts, "ends": ends}

    def step(self) -> dict[str, Any] | None:
        """The next batch; None once it is closed. Raises KafkaException."""
        with self._lock:
            return None if self._closed or self._tail is None else self._tail.step()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._client is not None:
                self._client.close()


class ConsumerFeed:
    """Partitions of a topic that are assigned to a consumer."""

    def __init__(self, client: Consumer, topic: str) -> None:
        self._client = client
        self._topic = topic

    def fetch(self, count: int) -> Sequence[Message]:
        return self._client.consume(count, 0)

    def end(self, partition: int) -> int | None:
        try:
            _, end = self._client.get_watermark_offsets(TopicPartition(self._topic, partition), cached=True)
        except KafkaException:
            return None
        return end if end >= 0 else None

    def skip_to(self, offsets: Mapping[int, int]) -> None:
        for partition, offset in offsets.items():
            self._client.seek(TopicPartition(self._topic, partition, offset))


class Tails:
    """Owned by the query server's loop."""

    def __init__(self, cluster: ClusterAccess) -> None:
        self.cluster = cluster
        self._threads = ThreadPoolExecutor(TAILS, thread_name_prefix="tail")
        self._open = 0
        self._closing = asyncio.Event()

    @property
    def watched(self) -> int:
        return self._open

    def close(self) -> None:
        """Ends all of them."""
        self._closing.set()

    async def watch(self, request: TailRequest, view: RecordView) -> AsyncGenerator[bytes]:
        """The events: `ready`, then `records` each time there is something new.

        Raises:
            Problem: there is no such topic or partition, or the expression is none.
            NotReady: the cluster does not answer, or too many are watched already.
        """
        if self._open >= TAILS:
            raise NotReady(
                "busy", f"{TAILS} tails are watched on this worker already: close one, or ask another worker"
            )
        events = self._events(OpenTail(self.cluster, request, view))
        await anext(events)  # it has begun: so it also ends where the watcher is gone by now and nobody reads it
        return events

    async def _events(self, tail: OpenTail) -> AsyncGenerator[bytes]:
        """What comes first is empty and not to be sent: the tail is open then."""
        loop = asyncio.get_running_loop()
        self._open += 1
        try:
            ready = await self._run(tail.open)
            yield b""
            yield event("ready", ready)
            before: dict[str, Any] = {}
            told_at = loop.time()
            while not self._closing.is_set():
                turn_ends = loop.time() + BATCH_S
                try:
                    batch = await self._run(tail.step)
                except KafkaException as error:
                    words = f"the cluster did not answer: {kafka_message(error)}"
                    yield event("problem", NotReady("unreachable", words).body())
                    return
                if batch is None:
                    return
                if batch != before:  # counts say whether anything came
                    yield event("records", batch)
                    told_at = loop.time()
                elif loop.time() - told_at > ALIVE_EVERY_S:
                    yield b": nothing new\n\n"
                    told_at = loop.time()
                before = {**batch, "records": []}
                await self._pause(turn_ends - loop.time())
        finally:
            self._left(tail)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self._closing.wait()
        except TimeoutError:
            pass

    def _left(self, tail: OpenTail) -> None:
        self._open -= 1
        self._threads.submit(tail.close)

    def _run(self, call: Callable[[], T]) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._threads, call)


def event(name: str, body: Any) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), msgspec.json.encode(body))
