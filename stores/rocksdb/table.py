"""A table that is a column family."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from threading import Lock
from typing import Final, cast
from weakref import WeakSet

from rocksdict import ColumnFamily, Rdict, RdictIter, ReadOptions

from stores.errors import StoreClosedError
from stores.rocksdb.failures import translated
from stores.table import Cursor, Pair, RowsCursor

FIRST_CHUNK: Final = 8
LARGEST_CHUNK: Final = 256

FIGURES: Final = (
    "estimate-num-keys",
    "estimate-table-readers-mem",
    "estimate-pending-compaction-bytes",
    "live-sst-files-size",
    "total-sst-files-size",
    "num-live-versions",
    "cur-size-active-mem-table",
    "cur-size-all-mem-tables",
    "size-all-mem-tables",
    "num-immutable-mem-table",
    "num-entries-active-mem-table",
    "num-entries-imm-mem-tables",
    "num-deletes-active-mem-table",
    "num-deletes-imm-mem-tables",
    "mem-table-flush-pending",
    "num-running-flushes",
    "compaction-pending",
    "num-running-compactions",
    "block-cache-capacity",
    "block-cache-usage",
    "block-cache-pinned-usage",
    "background-errors",
)
"""The properties that people watch. Source: KIP-607."""


class RocksDbCursor:
    """The rows of a range, read in growing chunks from one RocksDB iterator, which sees one moment.

    An iterator keeps its database open, and with it the lock of the directory. So the table knows its cursors and
    ends them when it closes, and they are not generators over the iterator, which could not be ended from outside.
    RocksDB's iterators stop at a damaged block just as they do at the end; the status tells which it was.

    About rocksdict 0.3.29: its `set_iterate_lower_bound` sets the upper bound, so the lower one is checked here; and
    RocksDB is given a pointer into the Python object of the upper bound, which therefore lives as long as the cursor.
    """

    __slots__ = ("__weakref__", "_chunk", "_iterator", "_lock", "_lowest", "_place", "_upper")

    def __init__(self, family: Rdict, lower: bytes, upper: bytes | None, place: str, *, reverse: bool) -> None:
        self._place = place
        self._upper = upper
        self._lowest = lower if reverse else None
        self._chunk = FIRST_CHUNK
        self._lock = Lock()  # the reader's thread against the one that closes the table
        options = ReadOptions()
        if upper is not None:
            options.set_iterate_upper_bound(upper)
        iterator = family.iter(options)
        if reverse:
            iterator.seek_to_last()
        else:
            iterator.seek(lower)
        self._iterator: RdictIter | None = iterator

    def __iter__(self) -> Iterator[Pair]:
        return chain.from_iterable(iter(self.next_chunk, []))

    def close(self) -> None:
        with self._lock:
            self._iterator = None

    @property
    def is_open(self) -> bool:
        """Whether it holds an iterator still."""
        return self._iterator is not None

    def next_chunk(self) -> list[Pair]:
        """The next rows; none at the end."""
        with self._lock:
            if self._chunk == 0:  # read to the end
                return []
            iterator = self._iterator
            if iterator is None:
                raise StoreClosedError(self._place)
            wanted = self._chunk
            pairs = take_up(iterator, wanted) if self._lowest is None else take_down(iterator, wanted, self._lowest)
            self._chunk = min(2 * wanted, LARGEST_CHUNK)
            if len(pairs) < wanted:
                self._chunk, self._iterator = 0, None
                try:
                    iterator.status()
                except Exception as error:
                    raise translated(error, self._place) from error
            return pairs


def take_up(iterator: RdictIter, wanted: int) -> list[Pair]:
    """The next rows, at most so many; fewer at the end."""
    pairs: list[Pair] = []
    valid, key, value, move = iterator.valid, iterator.key, iterator.value, iterator.next
    while valid():
        pairs.append((key(), value()))
        move()
        if len(pairs) == wanted:
            break
    return pairs


def take_down(iterator: RdictIter, wanted: int, lowest: bytes) -> list[Pair]:
    """The rows before, newest first, down to the key `lowest`."""
    pairs: list[Pair] = []
    valid, key, value, move = iterator.valid, iterator.key, iterator.value, iterator.prev
    while valid():
        found = key()
        if found < lowest:
            break
        pairs.append((found, value()))
        move()
        if len(pairs) == wanted:
            break
    return pairs


class RocksDbTable:
    """`Table` over a column family; `handle` names it in a write batch."""

    def __init__(self, database: Rdict, name: str, place: str) -> None:
        self._family = database.get_column_family(name)
        self._get = self._family.get
        self._place = place
        self._handle: ColumnFamily | None = database.get_column_family_handle(name)
        self._cursors: WeakSet[RocksDbCursor] = WeakSet()

    @property
    def handle(self) -> ColumnFamily:
        if self._handle is None:
            raise StoreClosedError(self._place)
        return self._handle

    def get(self, key: bytes) -> bytes | None:
        try:
            return cast("bytes | None", self._get(key))
        except Exception as error:
            raise translated(error, self._place) from error

    def scan(self, lower: bytes, upper: bytes | None, *, reverse: bool = False) -> Cursor:
        try:
            cursor = RocksDbCursor(self._family, lower, upper, self._place, reverse=reverse)
        except Exception as error:
            raise translated(error, self._place) from error
        first = cursor.next_chunk()
        if not cursor.is_open:  # most scans are short: nothing to keep track of
            return RowsCursor(first)
        self._cursors.add(cursor)
        return RowsCursor(first, cursor)

    def first(self, lower: bytes) -> Pair | None:
        try:
            iterator = self._family.iter(ReadOptions())
            iterator.seek(lower)
            if iterator.valid():
                return iterator.key(), iterator.value()
            iterator.status()
        except Exception as error:
            raise translated(error, self._place) from error
        return None

    def approximate_entries(self) -> int:
        return self._property("rocksdb.estimate-num-keys")

    def figures(self) -> dict[str, int]:
        return {name: self._property(f"rocksdb.{name}") for name in FIGURES}

    def memtable_bytes(self) -> int:
        return self._property("rocksdb.cur-size-all-mem-tables")

    def close(self) -> None:
        """Flushes and lets go of the column family."""
        for cursor in list(self._cursors):
            cursor.close()
        self._handle = None
        self._family.close()

    def _property(self, name: str) -> int:
        try:
            return self._family.property_int_value(name) or 0
        except Exception as error:
            raise translated(error, self._place) from error
