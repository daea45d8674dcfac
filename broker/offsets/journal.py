"""Writes the coordinator's records to `__consumer_offsets`, many of them in one append.

Thousands of small commits a second would be thousands of batches and, with fsync, thousands of disk waits. So records
that arrive while an append is under way, or within one tick of the event loop, go out together in the next one; their
writers are answered together when it is durable (group commit).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Iterator, Sequence
from typing import Protocol, TypeAlias

from broker.topics.errors import TopicError

LOG = logging.getLogger("broker.offsets")

KeyValue: TypeAlias = tuple[bytes, bytes | None]


class OffsetsLog(Protocol):
    """The internal topic, as the journal needs it; the broker's log implements it."""

    def partition_of(self, group_id: str) -> int:
        """The partition that holds a group's records. Raises TopicError if the topic cannot be created."""
        ...

    def append(self, partition: int, records: Sequence[KeyValue]) -> Awaitable[None]:
        """Appends one batch; done when it is as durable as the broker promises. Raises OSError if it cannot."""
        ...

    def replay(self) -> Iterator[KeyValue]:
        """All records in the order of each partition's log; None values delete."""
        ...


class OffsetsJournal:
    """Owned by the coordinator, used in the event loop's thread only."""

    def __init__(self, log: OffsetsLog) -> None:
        self.log = log
        self.queue: list[tuple[str, Sequence[KeyValue]]] = []
        self.written: asyncio.Future[bool] | None = None
        """Of the round that is being gathered; None: nothing is queued."""
        self.worker: asyncio.Task[None] | None = None

    def write(self, group_id: str, records: Sequence[KeyValue]) -> asyncio.Future[bool]:
        """Queues the records of a group.

        The future, shared by all who write in this round, is True when they are durable, and False when the storage
        failed: they may be there after a restart, or not. Whoever awaits it must shield it.
        """
        loop = asyncio.get_running_loop()
        if self.written is None:
            self.written = loop.create_future()
        self.queue.append((group_id, records))
        if self.worker is None:
            self.worker = loop.create_task(self.drain(), name="offsets-journal")
        return self.written

    async def write_and_wait(self, group_id: str, records: Sequence[KeyValue]) -> bool:
        """Writes the records and waits for the outcome; a waiter that is cancelled takes no other with it."""
        return await asyncio.shield(self.write(group_id, records))

    async def drain(self) -> None:
        """Appends round by round until nothing is queued."""
        try:
            while self.written is not None:
                written, self.written = self.written, None
                queue, self.queue = self.queue, []
                durable = False
                try:
                    await self.append(queue)
                    durable = True
                except (OSError, TopicError) as error:
                    LOG.error("cannot write %d groups' records to __consumer_offsets: %s", len(queue), error)
                finally:
                    written.set_result(durable)
        finally:
            self.worker = None

    async def append(self, queue: Sequence[tuple[str, Sequence[KeyValue]]]) -> None:
        """One batch for each partition that has something."""
        batches: dict[int, list[KeyValue]] = {}
        for group_id, records in queue:
            batches.setdefault(self.log.partition_of(group_id), []).extend(records)
        for partition, batch in batches.items():
            await self.log.append(partition, batch)

    async def close(self) -> None:
        """Waits until everything queued is written."""
        if self.worker is not None:
            await self.worker
