"""The HTTP server of a worker: the application's stores, the worker's health and metrics, and with `web` its dashboard.

It runs on an event loop in a thread of its own, so a slow question costs the stream thread nothing but the interpreter
lock. The web framework takes 15 MB, and half a second to import, which would be half of a worker's start: that thread
does it too, once somebody connects, who waits so long. With the dashboard it does at once. A request goes through

    Access ──▶ FastGets ──▶ PeerRows ──▶ (the framework) routes ──▶ Queries ──▶ this worker's stores, or another worker
"""

from __future__ import annotations

import asyncio
import logging
import selectors
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from streams.errors import ConfigError
from streams.query.access import Access, AsgiApp, check_exposure, client_tls, is_any
from streams.query.peers import Peers
from streams.query.placement import Placement
from streams.query.subject import Subject

if TYPE_CHECKING:
    import uvicorn

    from streams.dashboard.live import Live
    from streams.dashboard.tails import Tails

log = logging.getLogger(__name__)

STOP_TIMEOUT_S = 5.0
KEEP_ALIVE_S = 75
"""Longer than workers keep connections to each other that they do not use."""


class QueryServer:
    """Serves one worker, as its options say. `endpoint` is known once `start` returns."""

    def __init__(self, subject: Subject) -> None:
        """Raises ConfigError: the options would let anybody in, or its TLS files cannot be used."""
        options = subject.options
        check_exposure(options)
        self._subject = subject
        self._client_tls = client_tls(options)
        self._host = options.query_host
        self._port = options.query_port or 0
        named = socket.gethostname() if is_any(self._host) else self._host
        self._advertised_host = options.advertised_host or named
        self._endpoint: str | None = None
        self._sockets: list[socket.socket] = []
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._live: Live | None = None
        self._tails: Tails | None = None
        self._stopping = False
        self._wake: socket.socket | None = None
        """Closed, it ends the wait for who connects first."""
        self._guard = threading.Lock()

    @property
    def endpoint(self) -> str | None:
        """`host:port` by which others reach the server, None before `start`."""
        return self._endpoint

    def start(self) -> None:
        """Raises ConfigError if an address cannot be listened on."""
        options = self._subject.options
        listening = listen(self._host, self._port, "query_port")
        self._sockets.append(listening)
        if options.web_port is not None:
            try:
                self._sockets.append(listen(self._host, options.web_port, "web_port", shared=True))
            except ConfigError:
                listening.close()
                raise
        named, port = self._advertised_host, listening.getsockname()[1]
        self._endpoint = f"[{named}]:{port}" if ":" in named else f"{named}:{port}"
        self._wake, woken = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, args=(woken,), name="query-server", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Answers what is being asked, then closes."""
        with self._guard:
            self._stopping = True
            if self._wake is not None:
                self._wake.close()
            if self._server is not None:
                self._server.should_exit = True
            if self._loop is not None:
                with suppress(RuntimeError):  # the loop has ended already
                    for stream in filter(None, (self._live, self._tails)):  # else those who watch hold the end up
                        self._loop.call_soon_threadsafe(stream.close)
        if self._thread is not None:
            self._thread.join(STOP_TIMEOUT_S)
        for each in self._sockets:
            each.close()

    def _serve(self, woken: socket.socket) -> None:
        try:
            options = self._subject.options
            with woken:
                if not options.web:
                    wait_for_any((*self._sockets, woken))
            if self._stopping:
                return
            import uvicorn

            placement = Placement(self._subject)
            peers = Peers(options.application_id, self._client_tls, options.query_token)
            config = uvicorn.Config(
                self._application(placement, peers),
                http="httptools",
                log_config=None,
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                lifespan="off",
                ws="none",
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=2,
                ssl_certfile=options.query_tls_certificate,
                ssl_keyfile=options.query_tls_key,
            )
            with self._guard:
                if self._stopping:
                    return
                server = self._server = uvicorn.Server(config)
            with asyncio.Runner(loop_factory=loop_factory()) as runner:
                self._loop = runner.get_loop()
                runner.run(serve(server, self._sockets, peers))
        except Exception:
            log.exception("query_server_failed: the worker goes on without queries")

    def _application(self, placement: Placement, peers: Peers) -> AsgiApp:
        from streams.dashboard.cluster_access import ClusterAccess
        from streams.dashboard.live import Live
        from streams.dashboard.live_routes import peer_routes
        from streams.dashboard.routes import dashboard_routes, without_dashboard
        from streams.dashboard.tails import Tails
        from streams.query.changes import Changes
        from streams.query.fast_gets import FastGets
        from streams.query.queries import Queries
        from streams.query.routes import query_app
        from streams.query.stored import PeerRows, StoredReads
        from streams.query.upstream import GroupLog, Upstream

        subject = self._subject
        queries = Queries(subject, placement, peers)
        app = query_app(subject, placement, queries, Upstream(subject, GroupLog(subject)), Changes(subject))
        peer_routes(app, subject)
        if subject.options.web:
            live = self._live = Live(subject, placement, peers)
            tails = self._tails = Tails(ClusterAccess(subject.options))
            dashboard_routes(app, subject, placement, live, tails)
        else:
            without_dashboard(app)
        return Access(FastGets(PeerRows(app, StoredReads(placement, peers)), queries), subject.options)


def listen(host: str, port: int, setting: str, *, shared: bool = False) -> socket.socket:
    """A socket that listens. `shared`: other processes may listen there too, and each connection goes to one of them.
    Raises ConfigError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared and hasattr(socket, "SO_REUSEPORT"):
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listening.bind((host, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        cure = f"choose another port ({setting})" if shared else f"choose another port ({setting}), or 0 for a free one"
        what = "dashboard" if shared else "query server"
        raise ConfigError(f"the {what} cannot listen on {host}:{port} ({error}): {cure}", setting=setting) from error
    return listening


def wait_for_any(sockets: Iterable[socket.socket]) -> None:
    """Returns when somebody connects to one of them, or its other end is closed."""
    with selectors.DefaultSelector() as selector:
        for each in sockets:
            selector.register(each, selectors.EVENT_READ)
        selector.select()


async def serve(server: uvicorn.Server, sockets: list[socket.socket], peers: Peers) -> None:
    try:
        await server.serve(sockets)
    finally:
        await peers.close()


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's where it exists: a request costs a third less."""
    try:
        import uvloop
    except ImportError:  # Windows
        return None
    return uvloop.new_event_loop
