"""One fdatasync for all who wait for it (fsync=always).

Appends made while a sync is under way share the next one. The syncs run in one thread of their own: they release the
interpreter lock, and the event loop goes on serving.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from broker.log.partition import PartitionLog
from broker.log.segment import Segment

LOG = logging.getLogger("broker.log")

SyncAll = Callable[[Sequence[Segment]], list[OSError | None]]


def sync_all(segments: Sequence[Segment]) -> list[OSError | None]:
    """Makes each segment durable; the error of each that could not be."""
    errors: list[OSError | None] = []
    for segment in segments:
        try:
            segment.sync()
        except OSError as error:
            errors.append(error)
        else:
            errors.append(None)
    return errors


class GroupCommit:
    """Owned by the broker state; used in the event loop's thread."""

    def __init__(self, sync: SyncAll = sync_all, *, failed: Callable[[PartitionLog], None] = lambda log: None) -> None:
        """`failed` is told of each log that takes no more writes."""
        self.sync = sync
        self.failed = failed
        self.executor = ThreadPoolExecutor(1, thread_name_prefix="broker-fsync")
        self.waiting: dict[PartitionLog, asyncio.Future[None]] = {}
        self.worker: asyncio.Task[None] | None = None
        self.syncs = 0
        """Segments synced since the start."""

    def wait(self, log: PartitionLog) -> asyncio.Future[None]:
        """Done when all that the log has now is durable and visible. Carries an OSError if it cannot be.

        The future is shared by all who wait in the same round: shield it, or do not cancel it.
        """
        future = self.waiting.get(log)
        if future is None:
            loop = asyncio.get_running_loop()
            future = self.waiting[log] = loop.create_future()
            if self.worker is None:
                self.worker = loop.create_task(self.drain(), name="group-commit")
        return future

    async def drain(self) -> None:
        """Syncs round by round until nobody waits."""
        loop = asyncio.get_running_loop()
        try:
            while self.waiting:
                waiting, self.waiting = self.waiting, {}
                for log in [log for log in waiting if log.failed is not None]:
                    # It failed in the round before, when these had been appended: a sync that succeeds says nothing.
                    future = waiting.pop(log)
                    future.set_exception(log.failed or OSError())
                    future.exception()
                pending = [log.pending() for log in waiting]
                errors = await loop.run_in_executor(self.executor, self.sync, [one.segment for one in pending])
                self.syncs += len(pending)
                for (log, future), upto, error in zip(waiting.items(), pending, errors):
                    if error is None:
                        log.commit(upto)
                        future.set_result(None)
                    elif log.released:
                        future.set_exception(error)  # the topic was deleted meanwhile
                        future.exception()
                    else:
                        # What reached the disk is unknown from here on, so nothing more is promised for this log.
                        log.failed = error
                        self.failed(log)
                        LOG.error(
                            "%s: fdatasync failed (%s); the partition takes no writes until the storage does",
                            log.name,
                            error,
                        )
                        future.set_exception(error)
                        future.exception()  # retrieved here: nobody may be waiting any more
        finally:
            self.worker = None

    async def close(self) -> None:
        """Waits for the rounds under way."""
        if self.worker is not None:
            await self.worker
        self.executor.shutdown()
