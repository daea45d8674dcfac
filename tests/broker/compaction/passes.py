"""Cleaning a partition log in the test's own process, and reading what is left of it."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import NamedTuple

from broker.compaction.clean import clean
from broker.compaction.cleaner import LogCleaner
from broker.compaction.cleaning import Cleaning, Outcome, Replacement
from broker.log.partition import PartitionLog
from broker.protocol.batches import decode_batch, walk
from tests.broker.log.partitions import NOW

MAP_BYTES = 1 << 20


class LocalWorker:
    """The cleaner's work without a process."""

    def __init__(self) -> None:
        self.steps: Generator[Replacement, None, Outcome] | None = None
        self.cleanings: list[Cleaning] = []

    def begin(self, cleaning: Cleaning) -> Replacement | Outcome:
        self.cleanings.append(cleaning)
        self.steps = clean(cleaning)
        return self.proceed()

    def proceed(self) -> Replacement | Outcome:
        assert self.steps is not None
        try:
            return next(self.steps)
        except StopIteration as end:
            return end.value

    def rest(self) -> None:
        if self.steps is not None:
            self.steps.close()
            self.steps = None

    def close(self) -> None:
        self.rest()


def compact(
    *logs: PartitionLog, now: int = NOW, map_bytes: int = MAP_BYTES, worker: LocalWorker | None = None
) -> LogCleaner:
    """Cleans whatever is due in the logs; returns the cleaner that did it."""

    async def run() -> LogCleaner:
        cleaner = LogCleaner(logs, clock=lambda: now, backoff_ms=1, map_bytes=map_bytes, worker=worker or LocalWorker())
        await cleaner.clean_all()
        await cleaner.close()
        return cleaner

    return asyncio.run(run())


class Kept(NamedTuple):
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int


def read_from(log: PartitionLog, offset: int, *, max_bytes: int = 1 << 20) -> list[Kept]:
    """All visible records at or above an offset, read as a consumer does."""
    found: list[Kept] = []
    while chunk := log.reader.read(offset, max_bytes, at_least_one=True):
        for position, size in walk(chunk):
            batch = chunk[position : position + size]
            found += [
                Kept(record.offset, record.key, record.value, record.timestamp)
                for record in decode_batch(batch)
                if record.offset >= offset
            ]
        head = chunk[position : position + size]
        following = int.from_bytes(head[:8]) + int.from_bytes(head[23:27]) + 1
        assert following > offset, "a reader gets on"
        offset = following
    return found


def read_all(log: PartitionLog) -> list[Kept]:
    return read_from(log, log.start_offset)


def latest(records: list[Kept]) -> dict[bytes | None, bytes | None]:
    """What a table built of the records holds."""
    table: dict[bytes | None, bytes | None] = {}
    for record in records:
        if record.value is None:
            table.pop(record.key, None)
        else:
            table[record.key] = record.value
    return table
