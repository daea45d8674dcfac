"""What one client may take, and all of them together: connections, memory for requests, time.

The server asks at each new connection, a connection asks when it needs much memory; the rest is found by looking at
all connections every few seconds (`sweep`), so a request costs no more than a count.

Source: `ConnectionQuotas` and `SocketServer` of Apache Kafka for `max.connections`, `max.connections.per.ip`,
`connections.max.idle.ms` and `queued.max.request.bytes`.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from broker.options import BrokerOptions
    from broker.server.connection import Connection

LOG = logging.getLogger("broker.server")

SWEEP_S = 5.0
LEAST_RATE = 16_384
"""Bytes per second that a client must send of a request it has begun, after `request_timeout_ms`."""
LINES_PER_SWEEP = 100
"""Of connections that are closed, in the log: whoever connects again and again must not fill the disk."""


def open_files_limit() -> int | None:
    """How many files and sockets the process may have; None: nobody knows."""
    try:
        import resource
    except ImportError:
        return None
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return None if soft == resource.RLIM_INFINITY else soft


class ConnectionLimits:
    """Owned by the server; `clock` gives seconds that never go back."""

    def __init__(self, options: BrokerOptions, clock: Callable[[], float], open_files: int | None = None) -> None:
        self.options = options
        self.clock = clock
        self.open_files = open_files
        self.most = 0
        """Connections at a time."""
        self.most_per_host = 0
        self.limit_total(None)
        self.limit_per_host(None)
        self.by_host: Counter[str] = Counter()
        self.total = 0
        self.reserved = 0
        """Bytes of large request buffers."""
        self.waiting: dict[Connection, None] = {}
        """Connections that wait for such a buffer, in order."""
        self.lines = 0
        """Written to the log since the last sweep."""

    # -- connections -------------------------------------------------------------------------------------------------
    def limit_total(self, value: str | None) -> None:
        """Sets `max.connections`, None: as the broker was started. Those that are there stay."""
        wanted = self.options.max_connections if value is None else int(value)
        self.most = wanted if self.open_files is None else min(wanted, self.open_files // 2)  # the other half: logs

    def limit_per_host(self, value: str | None) -> None:
        """Sets `max.connections.per.ip` likewise."""
        self.most_per_host = self.options.max_connections_per_ip if value is None else int(value)

    def admit(self, host: str) -> str | None:
        """Counts a new connection; returns why it must be closed at once, or None. `forget` has to follow."""
        self.total += 1
        self.by_host[host] += 1
        if self.total > self.most:
            return f"is one too many: there are {self.most} connections (max.connections, open files)"
        if self.by_host[host] > self.most_per_host:
            return (
                f"is one too many: there are {self.most_per_host} connections from its address (max.connections.per.ip)"
            )
        return None

    def forget(self, connection: Connection) -> None:
        """The connection is closed."""
        host = connection.client_host
        self.total -= 1
        self.by_host[host] -= 1
        if not self.by_host[host]:
            del self.by_host[host]
        self.waiting.pop(connection, None)
        self.release(connection.reserved)
        connection.reserved = 0

    def worth_a_line(self) -> bool:
        """Whether one more closed connection is to be told in the log."""
        self.lines += 1
        return self.lines <= LINES_PER_SWEEP

    # -- memory ------------------------------------------------------------------------------------------------------
    def reserve(self, connection: Connection, size: int) -> bool:
        """Whether a connection may have a request buffer of that many bytes instead of what it has reserved; if not,
        `adjust_buffer` is called when it is worth another try."""
        more = size - connection.reserved
        if self.reserved and self.reserved + more > self.options.queued_max_request_bytes:
            self.waiting[connection] = None
            return False
        self.reserved += more
        connection.reserved = size
        return True

    def release(self, size: int) -> None:
        """Gives bytes back, and lets those try again who wait for some."""
        if not size:
            return
        self.reserved -= size
        waiting = list(self.waiting)
        self.waiting.clear()
        for connection in waiting:
            connection.adjust_buffer()

    # -- time --------------------------------------------------------------------------------------------------------
    def sweep(self, connections: Iterable[Connection]) -> None:
        """Closes who is idle for too long or does not finish a request, and takes buffers back that are not used."""
        now = self.clock()
        if self.lines > LINES_PER_SWEEP:
            LOG.warning("%d more connections were closed for such reasons", self.lines - LINES_PER_SWEEP)
        self.lines = 0
        idle_s = self.options.connections_max_idle_ms / 1000
        request_s = self.options.request_timeout_ms / 1000
        for connection in list(connections):
            if connection.handled != connection.swept:
                connection.swept = connection.handled
                connection.active = now
                connection.begun = None
            pending = connection.end - connection.start
            if not connection.awaits_bytes:
                connection.begun = None
            elif connection.begun is None:
                connection.begun = now
            elif now - connection.begun > request_s + pending / LEAST_RATE:
                connection.close(
                    f"sent {pending} bytes of a request in {now - connection.begun:.0f} s, and then no more of it"
                )
                continue
            if now - connection.active > idle_s and (not connection.answers or not connection.writable):
                connection.close(f"was idle for {now - connection.active:.0f} s (connections.max.idle.ms)")
            elif not connection.writable and connection.reserved and now - connection.active > request_s:
                connection.close(f"holds a request of {connection.reserved} bytes and does not read its answers")
            elif not pending:
                connection.shrink_buffer()
