"""How long a producer was waited for, in ns since the start."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager


class ProducerTimes:
    """Written by the stream thread, read by anybody. Source: KIP-761, total blocked time."""

    __slots__ = (
        "bufferpool_wait",
        "flush",
        "txn_abort",
        "txn_begin",
        "txn_commit",
        "txn_init",
        "txn_send_offsets",
    )

    def __init__(self) -> None:
        self.bufferpool_wait = 0
        self.flush = 0
        self.txn_init = 0
        self.txn_begin = 0
        self.txn_send_offsets = 0
        self.txn_commit = 0
        self.txn_abort = 0

    def read(self) -> dict[str, int]:
        """All of them, by name."""
        return {name: getattr(self, name) for name in self.__slots__}

    @contextmanager
    def taking(self, name: str) -> Generator[None]:
        """Adds the time that the block takes."""
        began = time.perf_counter_ns()
        try:
            yield
        finally:
            setattr(self, name, getattr(self, name) + time.perf_counter_ns() - began)
