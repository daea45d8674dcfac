"""The last stable offset of a partition: below it every transaction is decided, and no crash undecides it.

It is the first offset of the earliest transaction that is open, or whose marker is not visible yet, else the high
watermark. Consumers with isolation level read_committed see what lies below. Source: KIP-98.
"""

from __future__ import annotations

from collections import deque

from broker.log.producers import OpenTransaction, ProducerStates
from broker.log.waiter import Waiter


class LastStableOffset:
    """Owned by the partition log, which tells it what has changed. Never goes back."""

    __slots__ = ("deciding", "offset", "producers", "size", "waiters")

    def __init__(self, producers: ProducerStates, high_watermark: int) -> None:
        self.producers = producers
        self.offset = high_watermark
        self.size = 0
        """Bytes below it, of those appended since the broker's start."""
        self.deciding: deque[tuple[int, OpenTransaction]] = deque()
        """Transactions that have a marker which is not visible yet, with its offset, in order of that."""
        self.waiters: set[Waiter] = set()
        """Woken when it rises."""
        for transaction in producers.open.values():
            self.offset = min(self.offset, transaction.first_offset)

    def decide(self, transaction: OpenTransaction, marker_offset: int) -> None:
        """The transaction's marker was appended."""
        self.deciding.append((marker_offset, transaction))

    def advance(self, high_watermark: int, visible_bytes: int) -> None:
        """To be called after any change of the high watermark or of the open transactions."""
        offset, size = high_watermark, visible_bytes
        if self.deciding or self.producers.open:
            while self.deciding and self.deciding[0][0] < high_watermark:
                self.deciding.popleft()
            for transaction in self.producers.open.values():
                offset, size = min((offset, size), transaction)
                break  # they are in order
            for _, transaction in self.deciding:
                offset, size = min((offset, size), transaction)
        if offset > self.offset:
            more = size - self.size
            self.offset, self.size = offset, size
            for waiter in self.waiters:
                waiter.more(more)
