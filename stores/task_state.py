"""All state of one task: its stores, how far their changelogs are in them, and the task's own rows.

What a task commits is one batch, applied at once or not at all: the dirty rows of all stores, expired segments,
positions, clocks and metadata. So a crash at any moment leaves stores that agree with the recorded positions, and
restore goes on from there.

    open ──> restore* ──> ( process ──> pending ──> [changelog acknowledged] ──> commit )* ──> close
                               │                                                   ^
                               └────────────── discard: back to the last commit ───┘

A commit writes what `pending` handed out; a store whose `pending` was not called since the last commit is written as
it is. Rows that were set between the two calls stay dirty and come with the next commit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from types import TracebackType
from typing import Self

from stores.changelog import ChangelogRecord
from stores.clean import CleanBudget
from stores.errors import StoreClosedError, StoreError, UnknownStoreError
from stores.hosted import HostedStore
from stores.opening import Store, opened
from stores.specs import StoreSpec
from stores.table import Database, Table
from stores.task_rows import TaskRows


class TaskState:
    """The stores of one task on one database. Owned by one thread; only the stores' readers are for others."""

    def __init__(self, database: Database, specs: Sequence[StoreSpec], clean_budget: CleanBudget) -> None:
        """Opens the stores; the database is closed if that fails.

        Raises StateVersionError, StateMismatchError, StoreCorruptError, RowDecodeError (the first row of each store is
        decoded, so a codec that no longer fits shows before anything is processed).
        """
        self._database = database
        self._clean_budget = clean_budget
        self._stores: dict[str, Store] = {}
        self._tables: dict[str, Table] = {}
        self._persistent = frozenset(spec.name for spec in specs if spec.persistent)
        self._open = True
        try:
            self._rows = TaskRows(database)
            for spec in specs:
                self._add(spec)
            self._write_layouts([spec for spec in specs if spec.persistent])
        except BaseException:
            self.close()
            raise

    # What is committed

    @property
    def positions(self) -> Mapping[str, int]:
        """Store name -> next changelog offset to restore from; absent: restore from the beginning."""
        return self._rows.positions

    @property
    def metadata(self) -> Mapping[str, bytes]:
        """The task's metadata rows."""
        return self._rows.metadata

    @property
    def abandoned(self) -> tuple[str, ...]:
        """Stores that have rows here but are not in the topology any more, by name. They are kept as they are."""
        return tuple(sorted(self._rows.stores - self._stores.keys()))

    @property
    def place(self) -> str:
        """Where the state is, for messages."""
        return self._database.place

    @property
    def size_bytes(self) -> int:
        """Bytes on disk (in memory for a memory state)."""
        return self._database.size_bytes()

    def figures(self, name: str) -> Mapping[str, int]:
        """What RocksDB tells of a store, by the names of its properties; nothing of a store in memory. From any thread.

        Raises StoreClosedError.
        """
        return self._tables[name].figures()

    # Processing

    @property
    def stores(self) -> Mapping[str, Store]:
        """All stores by name."""
        return self._stores

    def store(self, name: str) -> Store:
        """The store of that name. Raises UnknownStoreError."""
        try:
            return self._stores[name]
        except KeyError:
            raise UnknownStoreError(name, self._stores) from None

    @property
    def dirty_bytes(self) -> int:
        """About how much memory the dirty rows of all stores take; cheap enough to ask once per batch."""
        return sum(store.dirty_bytes() for store in self._stores.values())

    # Commit

    def pending(self, name: str) -> Iterator[ChangelogRecord]:
        """The dirty rows of a store as changelog records, and the tombstones of what expires at the end.

        Changes nothing; read it to its end before the commit. Raises RowEncodeError before the first record.
        """
        self._check_open()
        return iter(self.store(name).freeze())

    def commit(self, positions: Mapping[str, int], metadata: Mapping[str, bytes | None] | None = None) -> None:
        """Writes all that is dirty in one atomic batch; then it is clean.

        `positions`: store name -> next changelog offset to restore from (stores not named keep theirs). `metadata`:
        rows to set, None deletes one. A failed commit changes nothing and may be repeated. The batch is written with
        the interpreter lock held, about 1 µs per row. Raises RowEncodeError, UnknownStoreError, StoreError.
        """
        self._check_open()
        metadata = metadata or {}
        for name in positions:
            self.store(name)
        batch = self._database.batch()
        encoded: dict[str, int] = {}
        frozen_before = {name for name, store in self._stores.items() if store.is_frozen}
        try:
            for name, store in self._stores.items():
                writer = batch.into(self._tables[name])
                store.write(writer)
                encoded[name] = writer.size_bytes()
            clocks = {name: time for name, store in self._stores.items() if (time := store.frozen_time) is not None}
            self._rows.write(
                batch.into(self._database.rows),
                positions=self._kept(positions),
                clocks=self._kept(clocks),
                metadata=metadata,
            )
            self._database.write(batch)
        except BaseException:
            for name in self._stores.keys() - frozen_before:
                self._stores[name].thaw()
            raise
        for name, store in self._stores.items():
            store.written(encoded[name])
        self._rows.written(positions=positions, clocks=clocks, metadata=metadata)

    def discard(self) -> None:
        """Drops all that is not committed, and the clean rows, whose values may have been changed in place."""
        for store in self._stores.values():
            store.discard()

    # Restore

    def restore(self, name: str, records: Sequence[tuple[bytes, bytes | None, int]], position: int) -> None:
        """Applies changelog records (key, value or None, timestamp in ms) and their end position in one batch.

        Only for a store without dirty rows. Records may be applied again. Raises ChangelogRecordError, StoreError.
        """
        self._check_open()
        store = self.store(name)
        if store.dirty_rows():
            raise StoreError(f"store {name!r} has uncommitted rows: restore comes before processing")
        batch = self._database.batch()
        store.restore(records, batch.into(self._tables[name]))
        positions = {name: position}
        clocks = {} if store.frozen_time is None else {name: store.frozen_time}
        self._rows.write(
            batch.into(self._database.rows), positions=self._kept(positions), clocks=self._kept(clocks), metadata={}
        )
        self._database.write(batch)
        store.restored()
        self._rows.written(positions=positions, clocks=clocks, metadata={})

    def clear(self, name: str) -> None:
        """Deletes all rows of a store and its position: its changelog is going to be read from the beginning.

        Only for a store without dirty rows. Raises StoreError.
        """
        self._check_open()
        store, table = self.store(name), self._tables[name]
        if store.dirty_rows():
            raise StoreError(f"store {name!r} has uncommitted rows: commit or discard them before it is cleared")
        with closing(table.scan(b"", None, reverse=True)) as rows:
            last = next(iter(rows), None)
        batch = self._database.batch()
        if last is not None:
            batch.into(table).delete_range(b"", last[0] + b"\0")
        positions = {name: 0}
        self._rows.write(batch.into(self._database.rows), positions=self._kept(positions), clocks={}, metadata={})
        self._database.write(batch)
        store.restored()
        self._rows.written(positions=positions, clocks={}, metadata={})

    def close(self) -> None:
        """Closes the stores without committing. Scans and readers raise StoreClosedError from now on; closing twice is
        harmless."""
        if not self._open:
            return
        self._open = False
        for store in self._stores.values():
            store.discard()
            self._clean_budget.leave(store.clean)
            if isinstance(store, HostedStore):
                store.close()
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _add(self, spec: StoreSpec) -> None:
        if spec.name in self._stores:
            raise StoreError(f"two stores are named {spec.name!r}: give each store of a task its own name")
        segment_ms = self._rows.segment_ms(spec)
        table = self._tables[spec.name] = self._database.table(spec)
        store = opened(spec, table, segment_ms, self._rows.clocks.get(spec.name, -1))
        self._stores[spec.name] = store
        self._clean_budget.join(store.clean)
        with store.reader().all() as rows:
            next(rows, None)

    def _write_layouts(self, specs: list[StoreSpec]) -> None:
        if self._rows.is_new or not self._rows.stores.issuperset(spec.name for spec in specs):
            batch = self._database.batch()
            self._rows.write_layouts(batch.into(self._database.rows), specs)
            self._database.write(batch)

    def _kept(self, values: Mapping[str, int]) -> dict[str, int]:
        """Those of persistent stores: a memory store that comes back empty must not have a position or a clock."""
        return {name: value for name, value in values.items() if name in self._persistent}

    def _check_open(self) -> None:
        if not self._open:
            raise StoreClosedError(self.place)
