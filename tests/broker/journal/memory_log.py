"""A journal's log in memory, with a brake and a fault to switch on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from broker.journal.entry import Entry, KeyValue, Marker
from broker.journal.journal import Batch, RecordsToWrite


class MemoryJournalLog:
    """Twin of the broker's log, of one partition: `written` is what was appended."""

    name = "__memory"

    def __init__(self) -> None:
        self.written: list[Batch] = []
        self.open = asyncio.Event()
        self.open.set()
        self.fault: OSError | None = None

    @property
    def batches(self) -> list[list[KeyValue]]:
        """The records, one list a batch."""
        return [batch.records for batch in self.written if isinstance(batch, RecordsToWrite)]

    def partition_of(self, key: str) -> int:
        return 0

    async def append(self, partition: int, batches: Sequence[Batch]) -> None:
        await self.open.wait()
        if self.fault is not None:
            raise self.fault
        self.written += batches

    def replay(self) -> Iterator[Entry | Marker]:
        for batch in self.written:
            if isinstance(batch, RecordsToWrite):
                for key, value in batch.records:
                    yield Entry(key, value, -1 if batch.producer is None else batch.producer.producer_id)
            else:
                yield Marker(0, batch.producer.producer_id, batch.commit)
