"""Those who wait for a partition to grow."""

from __future__ import annotations

from typing import Protocol


class Waiter(Protocol):
    """A fetch that waits for more bytes."""

    def more(self, size: int) -> None:
        """That many bytes became visible to it. Must not change the set of waiters it is in within the call."""
        ...

    def gone(self) -> None:
        """The partition was deleted."""
        ...
