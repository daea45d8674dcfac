"""The contract of stores that users write themselves.

Such a store keeps what it likes in memory: a trie, a sketch, an index of vectors. What lasts is rows, key -> value and
timestamp, which the task commits for it, in the same atomic batch as everything else:

    open(rows) ──> ( reads and writes ──> changes() ──> [acknowledged, written] ──> committed() )* ──> close()
       ^                                      │
       └── after a restore, or what is not committed does not count ──┘

1. `open` forgets everything and takes up what `rows` hold. It may be called more than once.
2. `changes` tells each row that is not as `rows` have it, once, and absolutely: never "plus one". It changes nothing;
   called twice it tells the same.
3. `committed` says that `rows` now hold what `changes` told last. There are no writes between the two.
4. What a store answers follows from its rows and from what was written to it since, in that order, and from nothing
   else: no clock, no chance. So a store that is opened elsewhere, on the same rows, answers the same.

One thread calls all of it. `streams.testing` has a suite of tests for it. Source: the place of Kafka Streams'
`StateStore` and `StateRestoreCallback`; there a store of one's own writes its files and its changelog itself.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator

from stores.changelog import ChangelogRecord
from stores.row import TIMESTAMP
from stores.table import Table


class CommittedRows:
    """What a store has committed, in byte order of the keys. Read-only."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, key: bytes) -> tuple[bytes, int] | None:
        """Value and timestamp (ms) of a row, None if there is none."""
        local = self._table.get(key)
        return None if local is None else (local[8:], TIMESTAMP.unpack_from(local)[0])

    def scan(self, lower: bytes = b"", upper: bytes | None = None) -> Iterator[tuple[bytes, bytes, int]]:
        """(key, value, timestamp) of the rows with lower <= key < upper; None: to the end."""
        cursor = self._table.scan(lower, upper)
        try:
            for key, local in cursor:
                yield key, local[8:], TIMESTAMP.unpack_from(local)[0]
        finally:
            cursor.close()


class CustomStore(ABC):
    """State of a user's own making, for processors: `Stores.custom(name, MyStore)`; `context.store(name)` gives it as
    it is. The rules are above."""

    @abstractmethod
    def open(self, rows: CommittedRows) -> None:
        """Forgets everything and takes up the committed rows. `rows` may be kept, to read them later."""

    @abstractmethod
    def changes(self) -> Iterable[ChangelogRecord]:
        """(key, value, timestamp) of each row that differs from the committed one; a value of None deletes it."""

    @abstractmethod
    def committed(self) -> None:
        """The rows are as `changes` last told them."""

    def dirty_bytes(self) -> int:
        """About how much memory the changes take; a task with many commits early. Cheap: asked after each batch."""
        return 0

    def close(self) -> None:
        """The task is closed; what is not committed is lost."""
        return


class CustomKeyValueStore(CustomStore):
    """A key-value store of a user's own making, for tables and aggregations too: `Materialized(custom=MyStore)`.

    5. A row is (value, timestamp in ms), the value in its serialised form. To put None deletes.
    6. `scan` goes in byte order of the keys, and is not disturbed by what its own loop writes.
    """

    @abstractmethod
    def get(self, key: bytes) -> tuple[bytes, int] | None:
        """The row, None if there is none."""

    @abstractmethod
    def put(self, key: bytes, row: tuple[bytes, int] | None) -> None:
        """Sets the row; None deletes it."""

    @abstractmethod
    def scan(
        self, lower: bytes, upper: bytes | None, *, reverse: bool = False
    ) -> Iterator[tuple[bytes, tuple[bytes, int]]]:
        """(key, row) with lower <= key < upper, in order or in the reverse order; None: to the end."""

    def approximate_entries(self) -> int:
        """About how many rows there are."""
        return sum(1 for _ in self.scan(b"", None))
