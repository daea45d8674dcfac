"""Wakes a thread that sleeps on sockets."""

from __future__ import annotations

import selectors
import socket
import threading


class Wakeup:
    """`wake` may be called from any thread at any time; `reader` then is readable until the sleeper calls `clear`."""

    def __init__(self) -> None:
        self.reader, self._writer = socket.socketpair()
        self.reader.setblocking(False)
        self._lock = threading.Lock()
        self._raised = False
        self._closed = False

    def wake(self) -> None:
        with self._lock:
            if not self._raised and not self._closed:
                self._raised = True
                self._writer.send(b"\0")

    def clear(self) -> None:
        with self._lock:
            if self._raised:
                self._raised = False
                self.reader.recv(1)

    def sleep(self, timeout_s: float | None) -> None:
        """Until somebody wakes, or `timeout_s` has passed."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.reader, selectors.EVENT_READ)
            selector.select(timeout_s)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self.reader.close()
            self._writer.close()
