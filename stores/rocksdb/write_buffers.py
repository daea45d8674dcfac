"""Memory for rows that RocksDB has not written to files yet (memtables), shared by all databases of a process.

RocksDB's own `WriteBufferManager` only counts: when the budget is exceeded, the database that happens to write next
writes out what it has, be it three rows, and what quiet databases hold stays. With some hundred databases, or a few
full ones that have become quiet, every commit would make a file for each store. So three things are seen to here:

- a store that holds nothing takes next to nothing (small arena blocks, bloom filters that share a part of the budget);
- the budget grows with the number of stores, so that each can gather rows worth a file;
- before RocksDB finds the budget exceeded, the databases that hold most write out what they have, quiet or not.
"""

from __future__ import annotations

from typing import Final, Protocol

from rocksdict import WriteBufferManager

STORE_BYTES: Final = 128 * 1024
"""The budget is at least this much for each store."""
RELIEVE_ABOVE: Final = 0.75
"""Of the budget. RocksDB acts at 0.875."""
RELIEVED: Final = 0.25
"""Of the budget: so much is written out at a time, for measuring all databases takes some µs each."""
BLOOM_BYTES: Final = 80 * 1024
"""Of a store's memtable at most: eight bits per key of a full one with rows of 100 bytes."""
BLOOMS: Final = 1 / 16
"""Of the budget, for the bloom filters of all memtables."""


class Buffering(Protocol):
    """A database that holds memtables."""

    def memtable_bytes(self) -> int:
        """What its memtables take now."""
        ...

    def write_out(self) -> None:
        """Makes an empty write, at which RocksDB flushes if the budget is exceeded."""
        ...


class WriteBuffers:
    """Owned by the thread that opens, writes and closes the databases."""

    def __init__(self, least_bytes: int) -> None:
        """`least_bytes`: the budget of a process with few stores."""
        self._least_bytes = least_bytes
        self._budget = least_bytes
        self._stores = 0
        self._databases: dict[Buffering, int] = {}
        self._relieving = False
        self.manager = WriteBufferManager(least_bytes, allow_stall=False)

    @property
    def budget_bytes(self) -> int:
        """What memtables may take with the stores that are open."""
        return self._budget

    @property
    def used_bytes(self) -> int:
        return self.manager.get_usage()

    def bloom_bytes(self, stores: int) -> int:
        """The size of a memtable's bloom filter, in a database that is about to be opened with so many stores."""
        return min(BLOOM_BYTES, int(self._least_bytes * BLOOMS / max(self._stores + stores, 1)))

    def join(self, database: Buffering, stores: int) -> None:
        """A database is open, with so many stores."""
        self._databases[database] = stores
        self._share()

    def leave(self, database: Buffering) -> None:
        """It is closed. One that never joined is passed over."""
        if self._databases.pop(database, None) is not None:
            self._share()

    def written(self) -> None:
        """A database was written. If memory runs short, those that hold most write out what they have."""
        if self.manager.get_usage() < self._budget * RELIEVE_ABOVE:
            self._relieving = False
        elif not self._relieving:
            self._relieving = True  # until files are written, in the background, it is still as full
            self._relieve()

    def write_out(self, database: Buffering) -> None:
        """Has RocksDB flush this one, all its stores together, in the background."""
        self.manager.set_buffer_size(1)
        try:
            database.write_out()
        finally:
            self.manager.set_buffer_size(self._budget)

    def _relieve(self) -> None:
        held = sorted(((database.memtable_bytes(), database) for database in self._databases), key=size, reverse=True)
        wanted = self._budget * RELIEVED
        for held_bytes, database in held:
            self.write_out(database)
            wanted -= held_bytes
            if wanted <= 0:
                break

    def _share(self) -> None:
        self._stores = sum(self._databases.values())
        self._budget = max(self._least_bytes, self._stores * STORE_BYTES)
        self.manager.set_buffer_size(self._budget)


def size(held: tuple[int, Buffering]) -> int:
    return held[0]
