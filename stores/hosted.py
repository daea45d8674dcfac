"""What a task does around a store that its user wrote: commits its rows, restores them, has it opened on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from stores.changelog import ChangelogRecord, as_record
from stores.clean import CleanRows
from stores.custom import CommittedRows, CustomKeyValueStore, CustomStore
from stores.errors import RowDecodeError, RowEncodeError, StoreError
from stores.key_ranges import KeyRanges
from stores.key_value_reader import KeyValueReader
from stores.row import TIMESTAMP, Row
from stores.scan import Scan
from stores.specs import CustomSpec, KeyValueSpec
from stores.table import Table, Writer

S = TypeVar("S", bound=CustomStore)


class HostedStore(Generic[S]):
    """A custom store and its rows. The store is opened when it is first needed: restoring goes by its rows alone."""

    def __init__(self, spec: CustomSpec | KeyValueSpec, store: S, table: Table, clean: CleanRows[bytes, Row]) -> None:
        self.name = spec.name
        self.clean = clean
        self._store = store
        self._table = table
        self._is_open = False
        self._frozen: Sequence[ChangelogRecord] | None = None
        self._committed = KeyValueReader(spec, table)

    def custom(self) -> S:
        """The user's store, open."""
        if not self._is_open:
            self._store.open(CommittedRows(self._table))
            self._is_open = True
        return self._store

    def reader(self) -> KeyValueReader:
        """Committed rows only, for any thread."""
        return self._committed

    # Rows as committed: what else the store holds only its own methods tell

    def get(self, key: bytes) -> Row | None:
        """The committed row, None if there is none."""
        return self._committed.get(key)

    def all(self, *, reverse: bool = False) -> Scan[tuple[bytes, Row]]:
        """The committed rows."""
        return self._committed.all(reverse=reverse)

    # For the task state

    def freeze(self) -> Sequence[ChangelogRecord]:
        """What the store says has changed. Raises RowEncodeError, StoreError."""
        self._frozen = tuple(self._changes())
        return self._frozen

    def _changes(self) -> Iterator[ChangelogRecord]:
        told: set[bytes] = set()
        for key, value, timestamp in self._store.changes() if self._is_open else ():
            if type(key) is not bytes or not (value is None or type(value) is bytes) or key in told:
                raise StoreError(
                    f"store {self.name!r}: {type(self._store).__name__}.changes() told {(key, value, timestamp)!r}; "
                    "keys and values have to be bytes (a value may be None), and each key may come once"
                )
            told.add(key)
            yield as_record((key, value, timestamp))

    @property
    def is_frozen(self) -> bool:
        """Whether the next commit writes what an earlier `freeze` gave out."""
        return self._frozen is not None

    def thaw(self) -> None:
        """Forgets what `freeze` gave out."""
        self._frozen = None

    def write(self, writer: Writer) -> None:
        """Writes the frozen rows, frozen now unless `freeze` was called before."""
        frozen = self.freeze() if self._frozen is None else self._frozen
        put_rows(frozen, writer)

    @property
    def frozen_time(self) -> None:
        """It has no clock."""
        return None

    def written(self, encoded_bytes: int) -> None:
        """The frozen rows are committed."""
        self._frozen = None
        if self._is_open:
            self._store.committed()

    def discard(self) -> None:
        """What is not committed does not count."""
        self._frozen = None
        self._is_open = False

    def restore(self, records: Sequence[tuple[bytes, bytes | None, int]], writer: Writer) -> None:
        """Writes changelog records as rows."""
        put_rows(records, writer)

    def restored(self) -> None:
        """The rows are others now."""
        self._is_open = False

    def dirty_rows(self) -> int:
        return sum(1 for _ in self._store.changes()) if self._is_open else 0

    def dirty_bytes(self) -> int:
        return self._store.dirty_bytes() if self._is_open else 0

    def close(self) -> None:
        """The task is closed."""
        self._is_open = False
        self._store.close()


class HostedKeyValueStore(KeyRanges, HostedStore[CustomKeyValueStore]):
    """A custom key-value store, with decoded values as all key-value stores have them for the task."""

    def __init__(self, spec: KeyValueSpec, table: Table, clean: CleanRows[bytes, Row]) -> None:
        assert spec.custom is not None
        super().__init__(spec, spec.custom(), table, clean)
        self._codec = spec.codec

    def get(self, key: bytes) -> Row | None:
        """The row, None if there is none. Raises RowDecodeError."""
        row = self.custom().get(key)
        return None if row is None else self._decoded(key, row)

    load = get

    def put(self, key: bytes, row: Row | None) -> None:
        """Sets the row; None deletes it. Raises RowEncodeError."""
        if row is None:
            self.custom().put(key, None)
            return
        try:
            value = self._codec.encode(row[0])
        except Exception as error:
            raise RowEncodeError(self.name, key, error) from error
        self.custom().put(key, (value, row[1]))

    def put_if_absent(self, key: bytes, row: Row | None) -> Row | None:
        """Sets the row unless there is one; returns the row there was."""
        present = self.get(key)
        if present is None:
            self.put(key, row)
        return present

    def delete(self, key: bytes) -> Row | None:
        """Deletes the row and returns it."""
        present = self.get(key)
        self.put(key, None)
        return present

    def approximate_entries(self) -> int:
        return self.custom().approximate_entries()

    def _scan(self, lower: bytes, upper: bytes | None, reverse: bool) -> Scan[tuple[bytes, Row]]:
        rows = self.custom().scan(lower, upper, reverse=reverse)
        decoded = ((key, self._decoded(key, row)) for key, row in rows)
        close: Callable[[], None] | None = getattr(rows, "close", None)  # a generator's
        return Scan(decoded, close)

    def _decoded(self, key: bytes, row: tuple[bytes, int]) -> Row:
        try:
            return self._codec.decode(row[0]), row[1]
        except Exception as error:
            raise RowDecodeError(self.name, key, error) from error


def put_rows(records: Sequence[tuple[bytes, bytes | None, int]], writer: Writer) -> None:
    """Writes records in the local form of rows."""
    put, delete, pack = writer.put, writer.delete, TIMESTAMP.pack
    for key, value, timestamp in records:
        if value is None:
            delete(key)
        else:
            put(key, pack(timestamp) + value)
