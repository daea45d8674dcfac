"""A state store as a test looks at it: keys and values as the topology's functions see them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from stores import SessionSpec, Store
from streams.plan.plan import StorePlan
from streams.state import VersionedRecord
from streams.testing.difference import Expected, difference
from streams.testing.record import TestRecord
from streams.windowed import Windowed


class StoreView:
    """Reads a store, rows that are not committed yet included. Source: `TopologyTestDriver.getKeyValueStore` and its
    like.

    The key of a window store's row is `Windowed(key, start, end)`. Where a window is asked for, it is by its start, in
    ms; a session also by its end.
    """

    def __init__(self, plan: StorePlan, store: Store) -> None:
        self.name = plan.name
        self._plan = plan
        self._store: Any = store

    def __repr__(self) -> str:
        return f"StoreView({self.name!r})"

    def __len__(self) -> int:
        """How many rows there are."""
        return sum(1 for _ in self.records())

    def __contains__(self, key: object) -> bool:
        return self.record(key) is not None

    def __getitem__(self, key: Any) -> Any:
        """The value of a key (or of a `Windowed` one). Raises KeyError where there is none."""
        record = self.record(key)
        if record is None:
            raise KeyError(key)
        return record.value

    def get(self, key: Any, *window: int) -> Any:
        """The value of a key, None if there is none. `window`: its start, in a window store."""
        record = self.record(key, *window)
        return None if record is None else record.value

    def record(self, key: Any, *window: int) -> TestRecord | None:
        """The row of a key, None if there is none: value and timestamp."""
        if isinstance(key, Windowed):
            asked = cast("Windowed[Any]", key)
            window = (asked.start, asked.end) if isinstance(self._plan.spec, SessionSpec) else (asked.start,)
            key = asked.key
        row = self._store.get(self._plan.key_serde.serialize(key), *window)
        return None if row is None else self._record((self._plan.key_serde.serialize(key), *window), row)

    def as_of(self, key: Any, time: int) -> TestRecord | None:
        """The version of a key that was valid at `time` (ms): its value and the time it is valid from. None if there
        was none, or it is older than the history. Only for versioned stores."""
        kb = self._plan.key_serde.serialize(key)
        row = self._store.as_of(kb, time)
        return None if row is None else self._record((kb,), row)

    def versions(self, key: Any, first: int = 0, last: int = 2**63 - 1) -> list[VersionedRecord[Any]]:
        """The versions of a key that were valid at some time from `first` to `last` (ms, both inclusive), by time.
        Only for versioned stores."""
        with self._store.versions(self._plan.key_serde.serialize(key), first, last) as scan:
            return [
                VersionedRecord[Any](self._plan.present(value), valid_from, valid_to)
                for value, valid_from, valid_to in scan
            ]

    def records(self) -> Iterator[TestRecord]:
        """All rows, in the store's order: of the keys' bytes, in a window store of time first."""
        with self._store.all() as scan:
            for raw, row in scan:
                yield self._record((raw,) if isinstance(raw, bytes) else raw, row)

    def all(self) -> dict[Any, Any]:
        """Every key and its value."""
        return {record.key: record.value for record in self.records()}

    def range(self, start: Any = None, end: Any = None) -> dict[Any, Any]:
        """The rows with start <= key <= end in the order of the keys' bytes; None leaves an end open. Not for window
        stores."""
        write = self._plan.key_serde.serialize
        with self._store.range(None if start is None else write(start), None if end is None else write(end)) as scan:
            found = [self._record((raw,), row) for raw, row in scan]
        return {record.key: record.value for record in found}

    def fetch(self, key: Any, first: int = 0, last: int = 2**63 - 1) -> dict[int, Any]:
        """The windows of a key with first <= start <= last, by start. Only for window stores."""
        with self._store.fetch(self._plan.key_serde.serialize(key), first, last) as scan:
            return {start: self._plan.present(row[0]) for start, row in scan}

    def assert_rows(self, expected: Expected) -> None:
        """That the store holds exactly these rows, whatever their order.

        Args:
            expected: a dict of key -> value, `(key, value, timestamp)` tuples, or a table literal.
        """
        __tracebackhide__ = True
        problem = difference(f"store {self.name!r}", list(self.records()), expected, ordered=False)
        if problem is not None:
            raise AssertionError(problem)

    def _record(self, raw: tuple[Any, ...], row: tuple[Any, int]) -> TestRecord:
        key: Any = self._plan.key_serde.deserialize(raw[0])
        if len(raw) == 2:
            key = Windowed(key, raw[1], self._plan.end_of(raw[1]))
        elif len(raw) == 3:
            key = Windowed(key, raw[1], raw[2])
        return TestRecord(key, self._plan.present(row[0]), row[1])
