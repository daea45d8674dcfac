"""Writes coordinators' records to an internal topic, many of them in one append.

Thousands of small commits a second would be thousands of batches and, with fsync, thousands of disk waits. So records
that arrive while an append is under way, or within one tick of the event loop, go out together in the next one; their
writers are answered together when it is durable (group commit).

Order is kept: what is written to a partition first stands first, transactional records before their marker.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from broker.journal.entry import Entry, KeyValue, Marker, ProducerIdentity
from broker.topics.errors import TopicError

LOG = logging.getLogger("broker.journal")


@dataclass(slots=True)
class RecordsToWrite:
    """One batch; `producer`: of a transaction, None outside of any."""

    records: list[KeyValue]
    producer: ProducerIdentity | None = None


@dataclass(frozen=True, slots=True)
class MarkerToWrite:
    """The end of a producer's transaction."""

    producer: ProducerIdentity
    commit: bool


Batch: TypeAlias = RecordsToWrite | MarkerToWrite


class JournalLog(Protocol):
    """The internal topic, as the journal needs it; the broker's log implements it."""

    @property
    def name(self) -> str:
        """Of the topic."""
        ...

    def partition_of(self, key: str) -> int:
        """The partition that holds the records of a group or transactional id. Raises TopicError if the topic cannot
        be created."""
        ...

    def append(self, partition: int, batches: Sequence[Batch]) -> Awaitable[None]:
        """Appends batches in order; done when they are as durable as the broker promises. Raises OSError if not."""
        ...

    def replay(self) -> Iterator[Entry | Marker]:
        """Everything in the order of each partition's log, one partition after the other."""
        ...


class Journal:
    """Owned by a coordinator, used in the event loop's thread only."""

    def __init__(self, log: JournalLog) -> None:
        self.log = log
        self.queue: list[tuple[str | int, Batch]] = []
        """With the partition, or the key that tells it."""
        self.written: asyncio.Future[bool] | None = None
        """Of the round that is being gathered; None: nothing is queued."""
        self.worker: asyncio.Task[None] | None = None

    def write(
        self, key: str, records: Sequence[KeyValue], producer: ProducerIdentity | None = None
    ) -> asyncio.Future[bool]:
        """Queues records of a group or transactional id, those of a transaction with its producer.

        The future, shared by all who write in this round, is True when they are durable, and False when the storage
        failed: they may be there after a restart, or not. Whoever awaits it must shield it.
        """
        return self.enqueue(key, RecordsToWrite(list(records), producer))

    def mark(self, partition: int, producer: ProducerIdentity, *, commit: bool) -> asyncio.Future[bool]:
        """Queues the end of a producer's transaction in a partition; the future is as with `write`."""
        return self.enqueue(partition, MarkerToWrite(producer, commit))

    async def write_and_wait(
        self, key: str, records: Sequence[KeyValue], producer: ProducerIdentity | None = None
    ) -> bool:
        """Writes the records and waits for the outcome; a waiter that is cancelled takes no other with it."""
        return await asyncio.shield(self.write(key, records, producer))

    def enqueue(self, where: str | int, batch: Batch) -> asyncio.Future[bool]:
        loop = asyncio.get_running_loop()
        if self.written is None:
            self.written = loop.create_future()
        self.queue.append((where, batch))
        if self.worker is None:
            self.worker = loop.create_task(self.drain(), name=f"journal {self.log.name}")
        return self.written

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
                    LOG.error("cannot write %d entries to %s: %s", len(queue), self.log.name, error)
                finally:
                    written.set_result(durable)
        finally:
            self.worker = None

    async def append(self, queue: Sequence[tuple[str | int, Batch]]) -> None:
        """All of a round; records outside of transactions that follow one another become one batch."""
        partitions: dict[int, list[Batch]] = {}
        for where, batch in queue:
            partition = where if isinstance(where, int) else self.log.partition_of(where)
            batches = partitions.setdefault(partition, [])
            last = batches[-1] if batches else None
            if (
                isinstance(batch, RecordsToWrite)
                and isinstance(last, RecordsToWrite)
                and batch.producer is None
                and last.producer is None
            ):
                last.records += batch.records
            else:
                batches.append(batch)
        await asyncio.gather(*(self.log.append(partition, batches) for partition, batches in partitions.items()))

    async def close(self) -> None:
        """Waits until everything queued is written."""
        if self.worker is not None:
            await self.worker
