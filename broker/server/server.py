"""The server: listening sockets over a broker's state, from opening the data to the clean shutdown."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from broker.compaction.cleaner import LogCleaner
from broker.compaction.process import CleanerProcess
from broker.data_directory import DataDirectory
from broker.errors import BrokerError, DataDirectoryError
from broker.groups.opening import open_coordinator
from broker.handlers.table import HandlerTable
from broker.options import BrokerOptions
from broker.server.accepting import Accepting, bind_all, close_all
from broker.server.binding import bind
from broker.server.connection import Connection
from broker.server.limits import SWEEP_S, ConnectionLimits, open_files_limit
from broker.state import BrokerState
from broker.topics.config import TopicConfig
from broker.topics.definitions import InvalidConfigError
from broker.transactions.opening import open_transactions

if TYPE_CHECKING:
    from broker.metrics.server import MetricsServer
    from broker.registry.server import RegistryServer
    from broker.watch import Watch

LOG = logging.getLogger("broker.server")


def wall_clock_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


class Server:
    """One broker in an event loop. `data` is the directory to use, whatever the options say."""

    def __init__(self, options: BrokerOptions, data: Path, clock: Callable[[], int] = wall_clock_ms) -> None:
        self.options = options
        self.data = DataDirectory(data)
        self.clock = clock
        self.connections: set[Connection] = set()
        self.limits: ConnectionLimits
        self.listeners: tuple[Accepting, ...] = ()
        self.chore: asyncio.TimerHandle | None = None
        self.sweep: asyncio.TimerHandle | None = None
        self.loop: asyncio.AbstractEventLoop
        self.state: BrokerState
        self.cleaner: LogCleaner
        self.table: HandlerTable
        self.registry: RegistryServer | None = None
        self.is_serving = False
        """From readiness to the begin of the shutdown."""
        self.closed_cleanly = False
        self.made_watch: Watch | None = None
        self.watching: Watch | None = None
        """The watch while it is needed: what connections look at for each request."""
        self.metrics: MetricsServer | None = None
        self.schema_registry_url: str | None = None
        """Where the schema registry answers, if there is one."""

    async def start(self) -> None:
        """Ready to serve when it returns. Raises BrokerError, one clear line."""
        self.loop = asyncio.get_running_loop()
        self.limits = ConnectionLimits(self.options, self.loop.time, open_files_limit())
        self.listeners = bind_all(self.options)
        asked: socket.socket | None = None
        try:
            if self.options.schema_registry_port is not None:
                asked = bind(self.options.host, self.options.schema_registry_port, "--schema-registry-port")
            for text in self.options.faults:
                self.add_fault(text)
            try:
                TopicConfig.parse({}, self.options.topic_defaults)
            except InvalidConfigError as error:
                raise BrokerError(f"topic_defaults: {error}") from error
            self.data.open()
            self.state = BrokerState(self.options, self.data, self.clock)
            self.table = HandlerTable()
            try:
                self.state.load()
            except OSError as error:
                raise DataDirectoryError(f"cannot read data directory {self.data.path}: {error}") from error
            self.state.endpoints = tuple(listener.endpoint for listener in self.listeners)
            for listener in self.listeners:
                await listener.prepare(self)
            self.state.groups = open_coordinator(self.state)
            self.state.groups.start()
            self.state.transactions = open_transactions(self.state)
            await self.state.transactions.start()
            self.cleaner = LogCleaner(
                self.state.logs,
                clock=self.clock,
                backoff_ms=self.options.cleaner_backoff_ms,
                map_bytes=self.options.cleaner_map_bytes,
                worker=CleanerProcess(),
            )
            self.follow_configs(self.cleaner)
            if asked is not None:
                await self.serve_schemas(asked)
            if self.options.log_requests:
                self.watch.log_requests(True)
            if self.options.metrics_port is not None:
                await self.serve_metrics(self.options.metrics_port)
            for listener in self.listeners:
                await listener.start(self)
        except BaseException:
            close_all(self.listeners)
            if asked is not None:
                asked.close()
            self.data.release()
            raise
        self.is_serving = True
        self.chore = self.loop.call_later(self.options.retention_check_ms / 1000, self.tidy_up)
        self.sweep = self.loop.call_later(SWEEP_S, self.sweep_connections)
        self.cleaner.start()

    @property
    def port(self) -> int:
        """The port that the first listener listens on."""
        return self.listeners[0].address[1]

    def add_fault(self, text: str) -> None:
        """Raises FaultError."""
        from broker.faults import Fault

        self.watch.faults.add(Fault.parse(text))
        self.watch.changed()

    async def serve_metrics(self, port: int) -> None:
        """Raises AddressInUseError, BrokerError."""
        from broker.metrics.server import MetricsServer

        self.metrics = MetricsServer(self)
        await self.metrics.start(bind(self.options.metrics_host, port, "--metrics-port"))

    async def serve_schemas(self, listening: socket.socket) -> None:
        """The registry's web framework is imported only where there is a registry: it takes a third of a second."""
        from broker.registry.server import RegistryServer

        self.registry = RegistryServer(self.state, listening)
        await self.registry.start()
        host = self.state.endpoints[0].host
        port = listening.getsockname()[1]
        self.schema_registry_url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def follow_configs(self, cleaner: LogCleaner) -> None:
        """What can be changed while the broker runs, besides the defaults of topics."""
        options, configs = self.options, self.state.configs

        def backoff(value: str | None) -> None:
            cleaner.backoff_ms = options.cleaner_backoff_ms if value is None else max(1, int(value))

        def map_bytes(value: str | None) -> None:
            cleaner.map_bytes = options.cleaner_map_bytes if value is None else int(value)

        configs.on_change("log.cleaner.backoff.ms", backoff)
        configs.on_change("log.cleaner.dedupe.buffer.size", map_bytes)
        configs.on_change("max.connections", self.limits.limit_total)
        configs.on_change("max.connections.per.ip", self.limits.limit_per_host)

    def tidy_up(self) -> None:
        """What is done every few minutes: retention, forgetting idle producers."""
        self.state.logs.retain()
        expiration_ms = self.state.configs.value("producer.id.expiration.ms") or self.options.producer_id_expiration_ms
        before = self.clock() - int(expiration_ms)
        for log in self.state.logs:
            log.producers.expire(before)
        self.chore = self.loop.call_later(self.options.retention_check_ms / 1000, self.tidy_up)

    def sweep_connections(self) -> None:
        """What is done every few seconds: clients that take more than their share are found."""
        self.limits.sweep(self.connections)
        self.sweep = self.loop.call_later(SWEEP_S, self.sweep_connections)

    @property
    def watch(self) -> Watch:
        """Faults, request log, counts of requests; made when one of them is first wanted."""
        if self.made_watch is None:
            from broker.watch import Watch

            self.made_watch = Watch(self.look_at_watch)
        return self.made_watch

    def look_at_watch(self) -> None:
        self.watching = self.watch if self.watch.needed else None

    def clock_moved(self) -> None:
        """The clock has gone on by itself: all that waits for it looks again."""
        self.state.groups.clock_moved()
        self.state.transactions.clock_moved()
        if self.chore is not None:
            self.chore.cancel()
        self.tidy_up()
        self.cleaner.wake()

    def kill_connections(self) -> int:
        """Closes every client's connection; returns how many there were."""
        connections = list(self.connections)
        for connection in connections:
            connection.hang_up()
        return len(connections)

    async def close(self, *, keep_data: bool = True) -> None:
        """Stops serving and closes the logs cleanly. Without `keep_data` nothing is made durable first."""
        self.is_serving = False
        for timer in (self.chore, self.sweep):
            if timer is not None:
                timer.cancel()
        close_all(self.listeners)
        for connection in list(self.connections):
            connection.transport.abort()
        if self.registry is not None:
            await self.registry.close()
        if self.metrics is not None:
            await self.metrics.close()
        await asyncio.sleep(0)  # lets the connections notice, and cancel what waits for them
        for listener in self.listeners:
            await listener.finish()
        await self.cleaner.close()
        await self.state.transactions.close()
        await self.state.groups.close()
        await self.state.group_commit.close()
        try:
            self.state.close(sync=keep_data)
            self.closed_cleanly = True
        except OSError as error:
            LOG.error("unclean shutdown, the next start will scan the logs: %s", error)
        self.data.release()
