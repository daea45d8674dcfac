"""Hands out producer ids, never the same twice, across crashes too.

The end of a block is on disk before the first id of the block is given out.
"""

from __future__ import annotations

from pathlib import Path

from broker.errors import DataDirectoryError
from broker.files import DamagedFileError, read_fields, write_fields

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
            self.block_end = int(read_fields(self.path)["end"])
        except FileNotFoundError:
            self.block_end = 0
        except (DamagedFileError, KeyError, TypeError, ValueError) as error:
            self.block_end = self.given_by_hand(error)
        self.next_id = self.block_end

    def given_by_hand(self, error: Exception) -> int:
        """The file may hold just a number. Raises DataDirectoryError."""
        try:
            return int(self.path.read_text())
        except ValueError:
            raise DataDirectoryError(
                f"{self.path} should tell the end of the producer ids given out ({error}): write a number above all "
                "ids in use into it, such as 1000000000"
            ) from error

    def take(self) -> int:
        """A fresh id. Raises OSError if a block cannot be reserved."""
        if self.next_id == self.block_end:
            write_fields(self.path, {"end": self.block_end + BLOCK_SIZE}, durable=self.durable)
            self.block_end += BLOCK_SIZE
        taken = self.next_id
        self.next_id += 1
        return taken
