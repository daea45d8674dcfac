"""Hands out producer ids, never the same twice, across crashes too.

The end of a block is on disk before the first id of the block is given out.
"""

from __future__ import annotations

from pathlib import Path

from broker.errors import DataDirectoryError
from broker.files import write_atomically

BLOCK_SIZE = 1_000


class ProducerIds:
    """Owned by the broker state; used in the event loop's thread."""

    def __init__(self, path: Path, *, durable: bool) -> None:
        self.path = path
        self.durable = durable
        self.next_id: int = 0
        self.block_end: int = 0
        """First id that is not reserved on disk."""

    def load(self) -> None:
        """Continues behind the last block reserved. Raises DataDirectoryError."""
        try:
            self.block_end = int(self.path.read_text()) if self.path.exists() else 0
            self.next_id = self.block_end
        except ValueError as error:
            raise DataDirectoryError(
                f"{self.path} should hold one number, the end of the producer ids given out ({error}): write a number "
                "above all ids in use into it"
            ) from error

    def take(self) -> int:
        """A fresh id. Raises OSError if a block cannot be reserved."""
        if self.next_id == self.block_end:
            write_atomically(self.path, str(self.block_end + BLOCK_SIZE).encode(), durable=self.durable)
            self.block_end += BLOCK_SIZE
        taken = self.next_id
        self.next_id += 1
        return taken
