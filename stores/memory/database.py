"""A task's tables in memory, and what stands in for its directory."""

from __future__ import annotations

from typing import Final

from stores.errors import StateLockedError, StoreClosedError
from stores.memory.table import MemoryRows, MemoryTable, MemoryWriter
from stores.specs import StoreSpec
from stores.table import Batch, Table

OWN_ROWS: Final = ""
"""The name of the table of the task's own rows; stores have longer ones."""


class MemoryDisk:
    """What stays when a memory state is closed: keep it and open it again to play a restart."""

    def __init__(self) -> None:
        self.contents: dict[str, MemoryRows] = {}
        self.locked = False


class MemoryBatch:
    """`Batch` over memory tables."""

    def __init__(self) -> None:
        self._writers: list[MemoryWriter] = []

    def into(self, table: Table) -> MemoryWriter:
        assert isinstance(table, MemoryTable)
        writer = MemoryWriter(table)
        self._writers.append(writer)
        return writer

    def apply(self) -> None:
        for writer in self._writers:
            writer.apply()


class MemoryDatabase:
    """`Database` on a `MemoryDisk`."""

    def __init__(self, disk: MemoryDisk, place: str = "memory") -> None:
        if disk.locked:
            raise StateLockedError(place, "this MemoryDisk is open already")
        disk.locked = True
        self.place = place
        self._disk = disk
        self._tables: dict[str, MemoryTable] = {}
        self.rows = self._table(OWN_ROWS)

    def table(self, spec: StoreSpec) -> MemoryTable:
        if not spec.persistent:
            self._disk.contents.pop(spec.name, None)
        return self._table(spec.name)

    def batch(self) -> MemoryBatch:
        return MemoryBatch()

    def write(self, batch: Batch) -> None:
        assert isinstance(batch, MemoryBatch)
        if not self._disk.locked:
            raise StoreClosedError(self.place)
        batch.apply()

    def size_bytes(self) -> int:
        return sum(table.size_bytes() for table in self._tables.values())

    def close(self) -> None:
        for table in self._tables.values():
            table.close()
        self._disk.locked = False

    def _table(self, name: str) -> MemoryTable:
        table = self._tables.get(name)
        if table is None:
            contents = self._disk.contents.setdefault(name, MemoryRows())
            table = self._tables[name] = MemoryTable(self.place, contents)
        return table
