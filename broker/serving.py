"""Running a broker in this process until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from broker.clock import BrokerClock
from broker.options import BrokerOptions
from broker.own_process import keep_freed_memory, raise_open_files
from broker.server.listener import Endpoint

if TYPE_CHECKING:
    from broker.control import Control
    from broker.server.server import Server

LOG = logging.getLogger("broker.server")
ORDER_TIMEOUT_S = 30.0
TEMPORARY_PREFIX = "headrace-broker-"


def new_event_loop() -> asyncio.AbstractEventLoop:
    """uvloop's where it is installed: half the cost per request."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def temporary_data() -> Path:
    """A data directory that whoever asks for it has to remove."""
    return Path(tempfile.mkdtemp(prefix=TEMPORARY_PREFIX))


class Running:
    """A broker in an event loop of this thread. `stop` may be called from any thread.

    `alone`: the process is the broker's own, and set up for it.
    """

    def __init__(self, options: BrokerOptions, ready: Callable[[str, int], None]) -> None:
        self.options = options
        self.ready = ready
        """Called with host and port to connect to, those of the first listener, once."""
        self.schema_registry_url: str | None = None
        """Known when `ready` is called; None: the broker serves no registry."""
        self.metrics_url: str | None = None
        """Likewise."""
        self.clock = BrokerClock()
        self.server: Server
        """There when `ready` is called."""
        self.begun_at = time.monotonic()
        self.ready_after_s = 0.0
        """From the making of this to readiness; the interpreter's start is not in it."""
        self.served_s = 0.0
        """From then to the end of the shutdown."""
        self.bytes_written = 0
        """Record batches, up to the shutdown."""
        self.received = bytearray()
        """The begin of an order."""
        self.endpoints: tuple[Endpoint, ...] = ()
        """What clients of each listener connect to, in the order of the listeners; known when `ready` is called."""
        self.ports: tuple[int, ...] = ()
        """What is listened on, in the same order; known likewise."""
        self.loop = new_event_loop()
        self.stopped = asyncio.Event()
        self.orphaned = False

    def run(self, *, alone: bool, signals: bool, parent: bool = False) -> None:
        """Serves until `stop`; with `signals` until SIGTERM or SIGINT, with `parent` until stdin is closed.

        A parent may write orders to stdin, one JSON object a line (`broker.control`), and reads on stdout what each
        came to, in order.

        Raises BrokerError if the broker cannot start.
        """
        if alone:
            raise_open_files()
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_until_complete(self.serve(alone=alone, signals=signals, parent=parent))
        finally:
            asyncio.set_event_loop(None)
            self.loop.close()

    def stop(self) -> None:
        """Asks for a clean shutdown."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: it has stopped already
            self.loop.call_soon_threadsafe(self.stopped.set)

    async def serve(self, *, alone: bool, signals: bool, parent: bool) -> None:
        from broker.server.server import Server

        if signals:
            for number in (signal.SIGTERM, signal.SIGINT):
                self.loop.add_signal_handler(number, self.stopped.set)
        temporary = self.options.data is None
        data = temporary_data() if self.options.data is None else self.options.data
        try:
            server = Server(self.options, data, self.clock.now_ms)
            await server.start()
            self.server = server
            if parent:
                self.loop.add_reader(sys.stdin.fileno(), self.read_parent)
            if alone:
                gc.freeze()  # what was imported stays: the collector need not look at it again and again
            if signals:
                self.loop.add_signal_handler(signal.SIGUSR2, self.switch_request_log)
            self.schema_registry_url = server.schema_registry_url
            self.metrics_url = None if server.metrics is None else server.metrics.url
            self.ready_after_s = time.monotonic() - self.begun_at
            self.endpoints = server.state.endpoints
            self.ports = tuple(listener.address[1] for listener in server.listeners)
            self.ready(self.endpoints[0].host, self.endpoints[0].port)
            if alone:
                keep_freed_memory()
            await self.stopped.wait()
            self.bytes_written = sum(log.appended for log in server.state.logs)
            await server.close(keep_data=not temporary)
            self.served_s = time.monotonic() - self.begun_at - self.ready_after_s
        finally:
            if temporary or (self.orphaned and data.name.startswith(TEMPORARY_PREFIX)):
                shutil.rmtree(data, ignore_errors=True)

    # -- orders ------------------------------------------------------------------------------------------------------
    @cached_property
    def control(self) -> Control:
        """Imported when somebody has an order: most never have."""
        from broker.control import Control

        return Control(self.server, self.clock)

    def ask(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Has an order carried out; from any other thread. Raises TimeoutError."""
        answer: Future[dict[str, Any]] = Future()
        self.loop.call_soon_threadsafe(lambda: answer.set_result(self.control.obey(order)))
        return answer.result(ORDER_TIMEOUT_S)

    def read_parent(self) -> None:
        """An order, or the end of the parent, however that came about."""
        content = os.read(sys.stdin.fileno(), 65_536)
        if not content:
            self.loop.remove_reader(sys.stdin.fileno())
            self.orphaned = True
            self.stopped.set()
            return
        self.received += content
        *lines, self.received = self.received.split(b"\n")
        for line in lines:
            os.write(sys.stdout.fileno(), json.dumps(self.control.obey(json.loads(line))).encode() + b"\n")

    def switch_request_log_soon(self) -> None:
        """For signal handlers."""
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self.loop.call_soon_threadsafe(self.switch_request_log)

    def switch_request_log(self) -> None:
        """On, or off again."""
        watch = self.server.watch
        watch.log_requests(watch.log is None)
        LOG.warning("requests are %s", "logged" if watch.log else "no longer logged")


def serve(options: BrokerOptions, ready: Callable[[str, int], None] | None = None) -> None:
    """Runs a broker in the foreground until SIGTERM or SIGINT, then shuts it down cleanly.

    `ready` is called once with the host and port clients connect to. To be called in the main thread.
    Raises BrokerError, with one clear line, if it cannot start.
    """
    Running(options, ready or (lambda host, port: None)).run(alone=True, signals=True)
