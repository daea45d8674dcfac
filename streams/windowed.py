"""The key of a windowed table: the record's key and the window it fell into."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

K = TypeVar("K")


class Windowed(msgspec.Struct, Generic[K], frozen=True, order=True, gc=False):
    """`key` in the window from `start` to `end`, both int ms since the epoch.

    `end` is exclusive for time windows, inclusive for sliding and session windows, and 2**63 - 1 for unlimited ones.
    Hashable where the key is. Ordered by key, then start, then end.

    Source: `org.apache.kafka.streams.kstream.Windowed`.
    """

    key: K
    start: int
    end: int

    def __str__(self) -> str:
        return f"{self.key}@{self.start}/{self.end}"
