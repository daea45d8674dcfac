"""The RocksDB database of one task.

A column family per store, named after it, and RocksDB's own default family for the task's rows. Stores that are not
persistent are memory tables beside it; their share of a batch is applied right after RocksDB's.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from rocksdict import ColumnFamily, Rdict, WriteBatch

from stores.errors import StoreClosedError, StoreCorruptError, StoreError
from stores.memory.table import MemoryRows, MemoryTable, MemoryWriter
from stores.rocksdb.failures import translated
from stores.rocksdb.resources import RocksDbResources
from stores.rocksdb.table import RocksDbTable
from stores.specs import StoreSpec
from stores.table import Batch, Table, Writer

DEFAULT_FAMILY: Final = "default"


class FamilyWriter:
    """`Writer` of one column family, which must be the batch's default family meanwhile.

    rocksdict 0.3.29 heeds the default family in `put` and `delete`, but not in `delete_range`: it gets the handle.
    """

    __slots__ = ("_bytes_before", "_changes", "_family")

    def __init__(self, changes: WriteBatch, family: ColumnFamily) -> None:
        self._changes = changes
        self._family = family
        self._bytes_before = changes.size_in_bytes()

    @property
    def put(self) -> Callable[[bytes, bytes], None]:
        return self._changes.put

    @property
    def delete(self) -> Callable[[bytes], None]:
        return self._changes.delete

    def delete_range(self, begin: bytes, end: bytes) -> None:
        self._changes.delete_range(begin, end, self._family)

    def size_bytes(self) -> int:
        return self._changes.size_in_bytes() - self._bytes_before


class RocksDbBatch:
    """`Batch` over column families, and over the memory tables of stores that are not persistent."""

    def __init__(self) -> None:
        self.changes = WriteBatch(raw_mode=True)
        self._memory: list[MemoryWriter] = []

    def into(self, table: Table) -> Writer:
        if isinstance(table, MemoryTable):
            writer = MemoryWriter(table)
            self._memory.append(writer)
            return writer
        assert isinstance(table, RocksDbTable)
        self.changes.set_default_column_family(table.handle)
        return FamilyWriter(self.changes, table.handle)

    def apply_memory(self) -> None:
        for writer in self._memory:
            writer.apply()


class RocksDbDatabase:
    """`Database` in a directory, which RocksDB locks against other processes."""

    def __init__(self, path: Path, specs: Sequence[StoreSpec], resources: RocksDbResources) -> None:
        """Opens or creates. Raises StateLockedError, StoreCorruptError, StoreError."""
        self.place = str(path)
        self._path = path
        self._tables: dict[str, RocksDbTable] = {}
        self._memory: list[MemoryTable] = []
        self._write_buffers = resources.write_buffers
        names = [spec.name for spec in specs if spec.persistent]
        if DEFAULT_FAMILY in names:
            raise StoreError(f"a store cannot be named {DEFAULT_FAMILY!r}, which is RocksDB's own: rename it")
        try:
            path.mkdir(parents=True, exist_ok=True)
            families = self._existing(resources)
            families.update(dict.fromkeys(names))
            families.pop(DEFAULT_FAMILY, None)
            stores = len(families)
            self._database: Rdict | None = Rdict(
                self.place,
                resources.options(stores),
                {name: resources.options(stores, for_store=True) for name in families},
            )
        except Exception as error:
            raise translated(error, self.place) from error
        for name in (DEFAULT_FAMILY, *families):
            self._tables[name] = RocksDbTable(self._database, name, self.place)
        self.rows = self._tables[DEFAULT_FAMILY]
        self._write_buffers.join(self, stores)

    def table(self, spec: StoreSpec) -> Table:
        if spec.persistent:
            return self._tables[spec.name]
        table = MemoryTable(self.place, MemoryRows())
        self._memory.append(table)
        return table

    def batch(self) -> RocksDbBatch:
        return RocksDbBatch()

    def write(self, batch: Batch) -> None:
        assert isinstance(batch, RocksDbBatch)
        if self._database is None:
            raise StoreClosedError(self.place)
        if not batch.changes.is_empty():
            try:
                self._database.write(batch.changes)
            except Exception as error:
                raise translated(error, self.place) from error
            self._write_buffers.written()
        batch.apply_memory()

    def memtable_bytes(self) -> int:
        """Bytes of the rows that are not in files yet."""
        return sum(table.memtable_bytes() for table in self._tables.values())

    def write_out(self) -> None:
        """Has RocksDB flush all column families together, in the background, if its budget of memtables is exceeded:
        it looks at every write, and the empty one will do."""
        if self._database is not None:
            try:
                self._database.write(WriteBatch(raw_mode=True))
            except Exception as error:
                raise translated(error, self.place) from error

    def size_bytes(self) -> int:
        """Bytes of all files in the directory, RocksDB's log included, and of rows that are only in memory."""
        total = sum(table.size_bytes() for table in self._memory)
        with os.scandir(self._path) as files:
            for file in files:
                try:
                    total += file.stat().st_size
                except FileNotFoundError:  # RocksDB deletes files as it compacts
                    continue
        return total

    def close(self) -> None:
        """Flushes and releases the directory's lock. Raises StoreError: not all is on the disk, but it is closed."""
        if self._database is None:
            return
        first: Exception | None = None
        try:
            self._write_buffers.write_out(self)  # together: half the files to sync, and no row behind its position
        except StoreError as error:
            first = error
        database, self._database = self._database, None
        self._write_buffers.leave(self)
        for memory in self._memory:
            memory.close()
        for close in (*(table.close for table in self._tables.values()), database.close):
            try:
                close()
            except Exception as error:  # the disk is full, or gone: the others are to be let go of all the same
                first = first or error
        if first is not None:
            raise translated(first, self.place) from first.__cause__ or first

    def _existing(self, resources: RocksDbResources) -> dict[str, None]:
        """The column families on disk. RocksDB insists on all of them being opened, also those of former stores."""
        if (self._path / "CURRENT").exists():
            return dict.fromkeys(Rdict.list_cf(self.place, resources.options(0)))
        if any(self._path.glob("*.sst")) or any(self._path.glob("MANIFEST-*")):
            raise StoreCorruptError(self.place, "the file CURRENT is missing")
        return {}
