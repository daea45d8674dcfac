"""An offsets log in memory, with a brake and a fault to switch on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from broker.offsets.journal import KeyValue


class MemoryOffsetsLog:
    """Twin of the broker's log: `batches` is what was appended, one list a batch."""

    def __init__(self) -> None:
        self.batches: list[list[KeyValue]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.fault: OSError | None = None

    def partition_of(self, group_id: str) -> int:
        return 0

    async def append(self, partition: int, records: Sequence[KeyValue]) -> None:
        await self.open.wait()
        if self.fault is not None:
            raise self.fault
        self.batches.append(list(records))

    def replay(self) -> Iterator[KeyValue]:
        for batch in self.batches:
            yield from batch
