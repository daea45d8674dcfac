"""Metrics and health over HTTP, on a port of their own. A web framework would cost the broker its quick start."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from typing import TYPE_CHECKING

from broker.metrics.exposition import Exposition
from broker.metrics.reading import Reading
from broker.watch.request_meter import RequestMeter

if TYPE_CHECKING:
    from broker.server.server import Server

PATIENCE_S = 10.0
"""How long a client may take for its request."""
LONGEST_HEAD = 16_384
JSON = "application/json"
REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 503: "Service Unavailable"}

Answer = tuple[int, str, bytes]
"""Status, content type, body."""


class MetricsServer:
    """Belongs to a server, whose requests are counted from now on."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.meter = RequestMeter()
        server.watch.count_requests(self.meter)
        self.exposition = Exposition(Reading(server, self.meter))
        self.listener: asyncio.Server | None = None
        self.clients: set[asyncio.Task[None]] = set()
        self.url = ""
        """Of the metrics, once it has started."""

    async def start(self, listening: socket.socket) -> None:
        host, port = listening.getsockname()[:2]
        self.url = f"http://[{host}]:{port}/metrics" if ":" in host else f"http://{host}:{port}/metrics"
        self.listener = await asyncio.start_server(self.serve, sock=listening, limit=LONGEST_HEAD)

    async def close(self) -> None:
        if self.listener is not None:
            self.listener.close()
        for client in list(self.clients):
            client.cancel()
        await asyncio.gather(*self.clients, return_exceptions=True)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request; the connection is closed after it."""
        task = asyncio.current_task()
        assert task is not None
        self.clients.add(task)
        try:
            with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                async with asyncio.timeout(PATIENCE_S):
                    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                    status, kind, body = self.answer(head)
                    writer.write(
                        f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Type: {kind}\r\n"
                        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
                    )
                    writer.write(b"" if head.startswith("HEAD ") else body)
                    await writer.drain()
        finally:
            self.clients.discard(task)
            writer.close()

    def answer(self, head: str) -> Answer:
        line, *fields = head.split("\r\n")
        words = line.split()
        if len(words) != 3:
            return 400, JSON, b'{"error": "no request of HTTP"}'
        if words[0] not in ("GET", "HEAD"):
            return 405, JSON, b'{"error": "GET only"}'
        match words[1].partition("?")[0]:
            case "/metrics":
                accept = next((f.partition(":")[2].strip() for f in fields if f.lower().startswith("accept:")), "")
                body, kind = self.exposition.answer(accept)
                return 200, kind, body
            case "/health/live":
                return 200, JSON, b'{"state": "live"}'
            case "/health/ready":
                return self.ready()
            case _:
                return 404, JSON, b'{"error": "there are /metrics, /health/live and /health/ready"}'

    def ready(self) -> Answer:
        """503 from the begin of the shutdown on. Partitions whose storage failed are named; the others are served."""
        serving = self.server.is_serving
        failed = sorted(log.name for log in self.server.state.logs if log.failed is not None)
        body = {"state": "ready" if serving else "stopping", "failed_partitions": failed}
        return 200 if serving else 503, JSON, json.dumps(body).encode()
