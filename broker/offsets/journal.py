"""Writes the coordinator's records to `__consumer_offsets`, many of them in one append.

Thousands of small commits a second would be thousands of batches and, with fsync, thousands of disk waits. So records
that arrive while an append is under way, or within one tick of the event loop, go out together in the next one; their
writers are answered together when it is durable (group commit).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator, Sequence
from typing import Protocol, TypeAlias

KeyValue: TypeAlias = tuple[bytes, bytes | None]


class OffsetsLog(Protocol):
    """The internal topic, as the journal needs it; the broker's log implements it."""

    def partition_of(self, group_id: str) -> int:
        """The partition that holds a group's records."""
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
        self.queue: dict[int, list[KeyValue]] = {}
        self.written: asyncio.Future[None] | None = None
        self.worker: asyncio.Task[None] | None = None

    def write(self, group_id: str, records: Sequence[KeyValue]) -> asyncio.Future[None]:
        """Queues the records; the future (shared by all who write in this round) is done when they are durable.

        It carries the log's exception if the append fails.
        """
        loop = asyncio.get_running_loop()
        if self.written is None:
            self.written = loop.create_future()
        self.queue.setdefault(self.log.partition_of(group_id), []).extend(records)
        if self.worker is None:
            self.worker = loop.create_task(self.drain(), name="offsets-journal")
        return self.written

    async def write_and_wait(self, group_id: str, records: Sequence[KeyValue]) -> None:
        """Writes the records and returns when they are durable; a waiter that is cancelled takes no other with it."""
        await asyncio.shield(self.write(group_id, records))

    async def drain(self) -> None:
        """Appends round by round until nothing is queued."""
        while self.written is not None:
            written, self.written = self.written, None
            queue, self.queue = self.queue, {}
            try:
                for partition, records in queue.items():
                    await self.log.append(partition, records)
            except Exception as error:
                written.set_exception(error)
                written.exception()  # every writer gets it; a round nobody waits for must not warn at collection
            else:
                written.set_result(None)
        self.worker = None

    async def close(self) -> None:
        """Waits until everything queued is written."""
        if self.worker is not None:
            await self.worker
