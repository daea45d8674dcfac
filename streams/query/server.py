"""The HTTP server of a worker: its stores, its health, its metrics.

It answers for the tasks of this worker only, with rows as of their last commit. It runs on a thread of its own, so a
slow question costs the stream thread nothing but the interpreter lock. The web framework takes half a second to
import: that thread does it too, while the worker is joining its group; who connects earlier waits.
"""

from __future__ import annotations

import logging
import socket
import threading
from typing import TYPE_CHECKING

from streams.errors import ConfigError
from streams.query.subject import Subject

if TYPE_CHECKING:
    import uvicorn

log = logging.getLogger(__name__)

STOP_TIMEOUT_S = 5.0


class QueryServer:
    """Serves one worker. `endpoint` is known once `start` returns."""

    def __init__(self, subject: Subject, *, host: str, port: int, advertised_host: str | None = None) -> None:
        self._subject = subject
        self._host = host
        self._port = port
        self._advertised_host = advertised_host or host
        self._socket: socket.socket | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._guard = threading.Lock()

    @property
    def endpoint(self) -> str | None:
        """`host:port` by which others reach the server, None before `start`."""
        if self._socket is None:
            return None
        port = self._socket.getsockname()[1]
        host = self._advertised_host
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def start(self) -> None:
        """Raises ConfigError if the address cannot be listened on."""
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listening = socket.socket(family, socket.SOCK_STREAM)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((self._host, self._port))
            listening.listen(128)
        except OSError as error:
            listening.close()
            raise ConfigError(
                f"the query server cannot listen on {self._host}:{self._port} ({error}): choose another port, or 0 "
                "for a free one",
                setting="query_port",
            ) from error
        self._socket = listening
        self._thread = threading.Thread(target=self._serve, args=(listening,), name="query-server", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Answers what is being asked, then closes."""
        with self._guard:
            self._stopping = True
            if self._server is not None:
                self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(STOP_TIMEOUT_S)
        if self._socket is not None:
            self._socket.close()

    def _serve(self, listening: socket.socket) -> None:
        try:
            import uvicorn

            from streams.query.routes import query_app

            config = uvicorn.Config(
                query_app(self._subject),
                log_config=None,
                log_level="warning",
                access_log=False,
                lifespan="off",
                ws="none",
                timeout_graceful_shutdown=2,
            )
            with self._guard:
                if self._stopping:
                    return
                server = self._server = uvicorn.Server(config)
            server.run([listening])
        except Exception:
            log.exception("query_server_failed: the worker goes on without queries")
