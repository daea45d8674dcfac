"""The seam between stores and where their committed bytes are: RocksDB or memory.

A table is an ordered map from bytes to bytes. All that a task commits goes through one `Batch`, applied at once or not
at all. Stores know nothing else of the storage beneath them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Protocol

from stores.specs import StoreSpec

Pair = tuple[bytes, bytes]


class Cursor(Protocol):
    """The rows of a range as they were committed when the cursor was made, whatever is committed meanwhile."""

    def __iter__(self) -> Iterator[Pair]: ...

    def close(self) -> None:
        """Frees what the cursor holds; a cursor read to its end has done so already."""
        ...


class RowsCursor:
    """A cursor over rows that were read already, and those of another cursor after them."""

    __slots__ = ("_following", "_rows")

    def __init__(self, rows: Sequence[Pair], following: Cursor | None = None) -> None:
        self._rows = rows
        self._following = following

    def __iter__(self) -> Iterator[Pair]:
        return iter(self._rows) if self._following is None else chain(self._rows, self._following)

    def close(self) -> None:
        if self._following is not None:
            self._following.close()


class Table(Protocol):
    """Committed rows of one store. Reads are safe from any thread and raise `StoreClosedError` after the close."""

    def get(self, key: bytes) -> bytes | None: ...

    def scan(self, lower: bytes, upper: bytes | None, *, reverse: bool = False) -> Cursor:
        """Rows with lower <= key < upper in byte order, or the reverse order."""
        ...

    def first(self, lower: bytes) -> Pair | None:
        """The first row with key >= lower."""
        ...

    def approximate_entries(self) -> int: ...

    def figures(self) -> Mapping[str, int]:
        """What the storage tells of itself, by the names of RocksDB's properties; nothing for a table in memory."""
        ...


class Writer(Protocol):
    """Collects the changes of one table. Later calls win over earlier ones.

    `put` and `delete` are taken once and called in a loop, so what they give may be the storage's own function.
    """

    @property
    def put(self) -> Callable[[bytes, bytes], None]:
        """Sets a key's value."""
        ...

    @property
    def delete(self) -> Callable[[bytes], None]:
        """Deletes a key, whether it exists or not."""
        ...

    def delete_range(self, begin: bytes, end: bytes) -> None:
        """Deletes begin <= key < end."""
        ...

    def size_bytes(self) -> int:
        """About how many bytes were collected."""
        ...


class Batch(Protocol):
    """Changes of several tables, applied together."""

    def into(self, table: Table) -> Writer:
        """The writer for one table; valid until the next `into`."""
        ...


class Database(Protocol):
    """The tables of one task."""

    @property
    def place(self) -> str:
        """What to call it in messages: the directory."""
        ...

    @property
    def rows(self) -> Table:
        """The table of the task's own rows: format, positions, metadata."""
        ...

    def table(self, spec: StoreSpec) -> Table: ...

    def batch(self) -> Batch: ...

    def write(self, batch: Batch) -> None:
        """Applies the batch atomically, an empty one at no cost; a batch is used once."""
        ...

    def size_bytes(self) -> int:
        """Bytes held on disk, or in memory where there is no disk."""
        ...

    def close(self) -> None: ...
