"""A worker in a thread of somebody else's program, with an event loop beside it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Mapping

from stores import StoreReader
from streams.runtime.phase import WorkerState
from streams.runtime.worker import Worker

log = logging.getLogger(__name__)

UP = frozenset({WorkerState.RUNNING, WorkerState.NOT_RUNNING, WorkerState.ERROR})


class EmbeddedWorker:
    """Runs a worker; its methods belong to the event loop that started it.

    A worker that fails later says so in the log, and `wait` raises what it failed with.
    """

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self._error: BaseException | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"headrace-{worker.application_id}", daemon=True)

    def __repr__(self) -> str:
        return f"EmbeddedWorker({self.worker!r})"

    async def start(self) -> None:
        """Returns when the tasks are assigned and restored.

        Raises:
            StreamsError: the worker could not start.
        """
        self._thread.start()
        try:
            await asyncio.to_thread(self.worker.wait_for, UP)
        except asyncio.CancelledError:
            await self.stop()
            raise
        if self.worker.state is not WorkerState.RUNNING:
            await self.wait()

    async def stop(self) -> None:
        """Commits, leaves the group and ends. Raises what the worker failed with, if it did."""
        self.worker.stop()
        await self.wait()

    async def wait(self) -> None:
        """Returns when the worker has ended; raises what it failed with."""
        await asyncio.to_thread(self._ended.wait)
        if self._error is not None:
            raise self._error

    @property
    def ended(self) -> bool:
        """Whether it has ended, by itself or because it was told to; `wait` then returns at once, or raises."""
        return self._ended.is_set()

    @property
    def stores(self) -> Mapping[tuple[str, int], StoreReader]:
        """(store, partition) -> committed rows, of the tasks that run here."""
        return self.worker.readers()

    def _run(self) -> None:
        try:
            self.worker.run()
        except BaseException as error:  # handed to whoever waits: there is nobody above a thread
            self._error = error
            log.error("worker_failed: %s", error)
        finally:
            self._ended.set()
