"""Compacts the logs that need it most, one after the other, while the broker serves.

Reading, filtering and writing go on elsewhere (`Worker`); the event loop only chooses, and puts cleaned segments in
place. A log whose segments were removed meanwhile (retention, DeleteRecords, a deleted topic) is left for another time.

Source: `LogCleaner`, `LogCleanerManager` of Apache Kafka.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol, TypeVar
from weakref import WeakKeyDictionary, WeakSet

from broker.compaction.candidate import Candidate, candidate, read_first_dirty
from broker.compaction.cleaning import Cleaning, Outcome, Replacement
from broker.log.cleaner_offset import write_cleaner_offset
from broker.log.index import IndexFileError
from broker.log.partition import PartitionLog
from broker.log.segment import Segment
from broker.log.swap import new_output, replace
from broker.protocol.batches import CorruptBatchError

LOG = logging.getLogger("broker.cleaner")
Result = TypeVar("Result")


class Worker(Protocol):
    """Does the work of a pass, step by step; `process.CleanerProcess`. Its methods block."""

    def begin(self, cleaning: Cleaning) -> Replacement | Outcome: ...

    def proceed(self) -> Replacement | Outcome: ...

    def rest(self) -> None:
        """Breaks off what is under way and gives up what is held for the next pass. Does not block."""
        ...

    def close(self) -> None: ...


class Stale(Exception):
    """The log's segments are not those that were cleaned."""


class LogCleaner:
    """Owned by the server; used in the event loop's thread. `logs` are looked through every `backoff_ms`."""

    def __init__(
        self,
        logs: Iterable[PartitionLog],
        *,
        clock: Callable[[], int],
        backoff_ms: int,
        map_bytes: int,
        worker: Worker,
    ) -> None:
        self.logs = logs
        self.clock = clock
        self.backoff_ms = backoff_ms
        self.map_bytes = map_bytes
        """Memory for keys; a pass goes no further than they fit."""
        self.worker = worker
        self.executor = ThreadPoolExecutor(1, thread_name_prefix="broker-cleaner")
        self.first_dirty: WeakKeyDictionary[PartitionLog, int] = WeakKeyDictionary()
        self.uncleanable: WeakSet[PartitionLog] = WeakSet()
        """Logs with a batch that cannot be read; not tried again."""
        self.passes = 0
        """Since the start, failed ones too."""
        self.woken = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    # -- life --------------------------------------------------------------------------------------------------------
    def start(self) -> None:
        self.task = asyncio.get_running_loop().create_task(self.run(), name="log-cleaner")

    async def run(self) -> None:
        """Cleans what is due, again and again."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.woken.wait(), self.backoff_ms / 1000)
            self.woken.clear()
            await self.clean_all()

    def wake(self) -> None:
        """Has it look at once for what is due."""
        self.woken.set()

    async def close(self) -> None:
        """Breaks off what is under way; the next start throws the half-done work away."""
        if self.task is not None:
            self.task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.task
        self.worker.close()
        self.executor.shutdown()

    # -- choice ------------------------------------------------------------------------------------------------------
    async def clean_all(self) -> int:
        """Cleans log after log, the dirtiest first, until none is due; returns how many passes it took."""
        failed: set[PartitionLog] = set()
        passes = 0
        try:
            while (chosen := self.dirtiest(failed)) is not None:
                log = chosen.log
                passes += 1
                self.passes += 1
                try:
                    await self.clean(chosen)
                except (OSError, IndexFileError, Stale) as error:
                    failed.add(log)
                    self.worker.rest()  # it may be in the midst of the pass
                    if not log.released:
                        LOG.warning("%s: not compacted, the next try is in %d ms: %s", log.name, self.backoff_ms, error)
                except CorruptBatchError as error:
                    self.uncleanable.add(log)
                    LOG.error("%s: not compacted any more until the broker is restarted: %s", log.name, error)
        finally:
            self.worker.rest()  # a process and its memory that nobody needs until the next round
        return passes

    def dirtiest(self, failed: set[PartitionLog]) -> Candidate | None:
        """The log with the largest part dirty among those that are due; overdue ones go first."""
        now = self.clock()
        due: list[Candidate] = []
        for log in self.logs:
            if not log.config.compacted or len(log.segments) < 2 or log.failed is not None:
                continue
            if log in failed or log in self.uncleanable:
                continue
            if log not in self.first_dirty:
                self.first_dirty[log] = read_first_dirty(log)
            try:
                found = candidate(log, max(self.first_dirty[log], log.start_offset), now)
            except OSError as error:
                LOG.warning("%s: %s", log.name, error)
                continue
            if found is not None and found.due:
                due.append(found)
        return max(due, key=lambda one: (one.overdue, one.dirty_ratio), default=None)

    # -- pass --------------------------------------------------------------------------------------------------------
    async def clean(self, chosen: Candidate) -> None:
        """One pass. Raises OSError, IndexFileError, CorruptBatchError, Stale."""
        log = chosen.log
        output = new_output(log.directory)
        segments = {segment.base_offset: segment for segment in chosen.segments}
        bases = list(segments)
        try:
            step = await self.in_thread(self.worker.begin, self.description(chosen, output))
            while isinstance(step, Replacement):
                first = bases.index(step.base_offset)
                old = [segments[base] for base in bases[first : first + step.count]]
                cleaned = await self.in_thread(load, output, step.base_offset)
                self.put_in_place(log, old, cleaned)
                step = await self.in_thread(self.worker.proceed)
            if log.released:
                raise Stale("the partition is gone")
            log.forget_aborted(step.first_dirty)
            write_cleaner_offset(log.directory, step.first_dirty)
            self.first_dirty[log] = step.first_dirty
            LOG.info(
                "%s: compacted up to offset %d, %d to %d records, %d to %d bytes", log.name, step.first_dirty,
                step.records_before, step.records_after, step.bytes_before, step.bytes_after,
            )  # fmt: skip
        finally:
            if not log.released:
                shutil.rmtree(output, ignore_errors=True)

    def description(self, chosen: Candidate, output: Path) -> Cleaning:
        """What the worker has to know."""
        log, config = chosen.log, chosen.log.config
        known = log.producers.producers
        last = [producer.batches[-1][2] for producer in known.values() if producer.batches]
        return Cleaning(
            directory=str(log.directory),
            output=str(output),
            segments=tuple((segment.base_offset, segment.size) for segment in chosen.segments),
            end_offset=chosen.end_offset,
            first_dirty=chosen.first_dirty,
            aborted=chosen.aborted,
            last_batches=tuple(offset for offset in last if offset < chosen.end_offset),
            last_markers=tuple((one, producer.epoch) for one, producer in known.items() if not producer.batches),
            now_ms=self.clock(),
            delete_retention_ms=config.delete_retention_ms,
            segment_bytes=config.segment_bytes,
            index_interval_bytes=config.index_interval_bytes,
            map_bytes=self.map_bytes,
            durable=log.durable,
        )

    def put_in_place(self, log: PartitionLog, old: list[Segment], cleaned: Segment) -> None:
        """Raises OSError, Stale."""
        where = next((number for number, segment in enumerate(log.segments) if segment is old[0]), -1)
        if log.released or where < 0 or log.segments[where : where + len(old)] != old:
            cleaned.close()
            raise Stale("its segments were removed meanwhile")
        replace(log, old, cleaned)

    async def in_thread(self, function: Callable[..., Result], *arguments: object) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self.executor, function, *arguments)


def load(output: Path, base_offset: int) -> Segment:
    """The cleaned segment with its indexes. Raises OSError, IndexFileError."""
    segment = Segment(output, base_offset)
    segment.load_indexes()
    return segment
