"""The registry's HTTP server, in the broker's event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING

import uvicorn

from broker.journal import Journal
from broker.journal.entry import Entry, KeyValue
from broker.journal.topic_log import InternalTopicLog
from broker.registry.registry import Registry
from broker.registry.routes import registry_app
from broker.topics.names import SCHEMAS_TOPIC

if TYPE_CHECKING:
    from broker.state import BrokerState

LOG = logging.getLogger("broker.registry")
SCHEMAS_CONFIGS = {"cleanup.policy": "compact", "segment.bytes": "4194304"}


class RegistryServer:
    """Owned by the broker's server. Serves from `start` to `close` on a socket that is bound already."""

    def __init__(self, broker: BrokerState, listening: socket.socket) -> None:
        log = InternalTopicLog(broker, SCHEMAS_TOPIC, SCHEMAS_CONFIGS, partitions=1)
        self._journal = Journal(log)
        self._registry = Registry()
        for entry in log.replay():
            if isinstance(entry, Entry):
                self._registry.apply(entry.key, entry.value)
        config = uvicorn.Config(
            registry_app(self._registry, self._write),
            log_config=None,
            log_level="warning",
            access_log=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=2,
        )
        self._server = _Server(config)
        self._socket = listening
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Clients are answered when it returns."""
        self._socket.listen(128)
        self._task = asyncio.create_task(self._server.serve([self._socket]), name="schema registry")
        serving = asyncio.create_task(self._server.serving.wait())
        await asyncio.wait((self._task, serving), return_when=asyncio.FIRST_COMPLETED)
        serving.cancel()
        if self._task.done():
            await self._task

    async def close(self) -> None:
        """Answers what is being asked, and closes."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task
        await self._journal.close()

    async def _write(self, records: Sequence[KeyValue]) -> bool:
        return await self._journal.write_and_wait("", records)


class _Server(uvicorn.Server):
    """Tells when it serves, and leaves signals to the broker."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.serving = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.serving.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield
