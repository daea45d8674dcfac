"""Custom stores: the contract suite on good and on broken ones, and what a task does around them, on every backend."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from stores import (
    ChangelogRecord,
    CommittedRows,
    CustomSpec,
    CustomStore,
    HostedKeyValueStore,
    HostedStore,
    KeyValueSpec,
    RowEncodeError,
    StoreError,
    TaskState,
)
from streams.testing import CustomKeyValueStoreContract, CustomStoreContract
from tests.stores.backends import JSON, Backend, fill, replay, values
from tests.stores.custom_stores import Board, Row, SortedStore


class TestSortedStore(CustomKeyValueStoreContract):
    def make(self) -> SortedStore:
        return SortedStore()


class TestBoard(CustomStoreContract):
    def make(self) -> Board:
        return Board()

    def write(self, store: Board, step: int) -> None:
        store.scored(f"p{step % 4}", step * 7 % 11)

    def observe(self, store: Board) -> list[tuple[str, int]]:
        return store.leaders()


# -- the suite finds what is broken --------------------------------------------------------------------------------


class ForgetsDeletions(SortedStore):
    def changes(self) -> Iterable[ChangelogRecord]:
        return [record for record in super().changes() if record.value is not None]


class ForgetsToCommit(SortedStore):
    def committed(self) -> None:
        pass


class CommitsByTelling(SortedStore):
    def changes(self) -> Iterable[ChangelogRecord]:
        told = list(super().changes())
        self._changed.clear()
        return told


class KeepsWhatWasThere(SortedStore):
    def open(self, rows: CommittedRows) -> None:
        before = dict(getattr(self, "_rows", {}))
        super().open(rows)
        for key, row in before.items():
            self.put(key, row)


class OutOfOrder(SortedStore):
    def scan(self, lower: bytes, upper: bytes | None, *, reverse: bool = False) -> Iterator[tuple[bytes, Row]]:
        return iter(sorted(super().scan(lower, upper), key=lambda entry: entry[1][1]))


class ScansAsItGoes(SortedStore):
    def scan(self, lower: bytes, upper: bytes | None, *, reverse: bool = False) -> Iterator[tuple[bytes, Row]]:
        position = 0
        while position < len(self._keys):
            yield self._keys[position], self._rows[self._keys[position]]
            position += 1


class IgnoresItsRows(SortedStore):
    def open(self, rows: CommittedRows) -> None:
        self._rows, self._keys, self._changed = {}, [], {}


class CountsInstances(SortedStore):
    made = 0

    def __init__(self) -> None:
        CountsInstances.made += 1
        self.number = CountsInstances.made

    def put(self, key: bytes, row: Row | None) -> None:
        super().put(key, None if row is None else (row[0] + b"%d" % self.number, row[1]))


@pytest.mark.parametrize(
    "broken",
    [
        ForgetsDeletions,
        ForgetsToCommit,
        CommitsByTelling,
        KeepsWhatWasThere,
        OutOfOrder,
        ScansAsItGoes,
        IgnoresItsRows,
        CountsInstances,
    ],
)
def test_contract_suite_fails_on_a_broken_store(broken: type[SortedStore]) -> None:
    class Contract(CustomKeyValueStoreContract):
        def make(self) -> SortedStore:
            return broken()

    failed: list[str] = []
    for name in dir(Contract):
        if name.startswith("test_"):
            try:
                getattr(Contract(), name)()
            except (AssertionError, StoreError, IndexError):
                failed.append(name)
    assert failed


# -- what a task does around them ----------------------------------------------------------------------------------

SORTED = KeyValueSpec("sorted", JSON, custom=SortedStore)
BOARD = CustomSpec("board", Board)


@pytest.fixture
def state(backend: Backend) -> TaskState:
    return backend.open([SORTED, BOARD])


def rows(state: TaskState) -> HostedKeyValueStore:
    store = state.store("sorted")
    assert isinstance(store, HostedKeyValueStore)
    return store


def board(state: TaskState) -> Board:
    store = state.store("board")
    assert isinstance(store, HostedStore)
    custom = store.custom()
    assert isinstance(custom, Board)
    return custom


def test_rows_and_changelog_of_a_custom_store_are_those_of_ours(state: TaskState, backend: Backend) -> None:
    store: Any = rows(state)
    fill(store, {b"a": 1, b"c": [3], b"b": {"x": 2}}, timestamp=7)
    assert store.get(b"b") == ({"x": 2}, 7)
    assert values(store.range(b"a", b"b")) == {b"a": 1, b"b": {"x": 2}}
    assert list(values(store.all(reverse=True))) == [b"c", b"b", b"a"]
    assert values(store.prefix(b"c")) == {b"c": [3]}
    assert (store.delete(b"a"), store.get(b"a")) == ((1, 7), None)
    assert store.put_if_absent(b"c", (9, 9)) == ([3], 7)
    assert store.approximate_entries() == 2
    assert {key: value for key, value, _ in replay(state.pending("sorted"))} == {
        b"a": None,
        b"b": b'{"x": 2}',
        b"c": b"[3]",
    }
    state.commit({"sorted": 3})
    plain = backend.restart([KeyValueSpec("sorted", JSON), BOARD])
    assert values(plain.store("sorted").all()) == {b"b": {"x": 2}, b"c": [3]}  # type: ignore[arg-type]
    assert plain.positions["sorted"] == 3


def test_custom_store_goes_on_where_it_was_committed_and_no_further(state: TaskState, backend: Backend) -> None:
    assert board(state).scored("ann", 10)
    assert state.dirty_bytes == 100
    state.commit({"board": 1})
    assert board(state).scored("ann", 20)
    again = backend.restart([SORTED, BOARD])
    assert board(again).leaders() == [("ann", 10)]
    assert again.positions["board"] == 1


def test_discard_has_the_store_opened_again_on_its_rows(state: TaskState) -> None:
    board(state).scored("ann", 10)
    state.commit({})
    board(state).scored("bob", 30)
    state.discard()
    assert board(state).leaders() == [("ann", 10)]


def test_restored_records_and_a_cleared_store_are_seen_by_the_store(state: TaskState) -> None:
    state.restore("board", [(b"ann", b"5", 0), (b"bob", b"7", 0), (b"bob", None, 0)], 3)
    assert board(state).leaders() == [("ann", 5)]
    state.clear("board")
    assert board(state).leaders() == []


def test_store_that_is_not_persistent_is_empty_after_a_restart(backend: Backend) -> None:
    spec = CustomSpec("board", Board, persistent=False)
    state = backend.open([spec])
    board(state).scored("ann", 1)
    state.commit({"board": 1})
    again = backend.restart([spec])
    assert board(again).leaders() == []
    assert "board" not in again.positions


def test_closed_task_closes_the_store_once(state: TaskState) -> None:
    custom = board(state)
    state.close()
    state.close()
    assert custom.closed == 1


def test_changes_that_are_no_rows_are_refused_by_name(backend: Backend) -> None:
    class Wrong(Board):
        def changes(self) -> Any:
            return [("ann", b"1", 0)]

    state = backend.open([CustomSpec("board", Wrong)])
    board(state)
    with pytest.raises(StoreError, match=r"'board'.*Wrong\.changes\(\) told \('ann', b'1', 0\).*bytes"):
        list(state.pending("board"))


def test_key_told_twice_is_refused(backend: Backend) -> None:
    class Twice(Board):
        def changes(self) -> Any:
            return [(b"a", b"1", 0), (b"a", b"2", 0)]

    state = backend.open([CustomSpec("board", Twice)])
    board(state)
    with pytest.raises(StoreError, match="each key may come once"):
        state.commit({})


def test_value_that_does_not_encode_is_told_with_store_and_key(state: TaskState) -> None:
    with pytest.raises(RowEncodeError, match="sorted"):
        rows(state).put(b"k", (object(), 1))


def test_committed_rows_are_read_by_key_and_range(state: TaskState) -> None:
    seen: list[CommittedRows] = []

    class Looks(Board):
        def open(self, rows: CommittedRows) -> None:
            seen.append(rows)
            super().open(rows)

    made: CustomStore = Looks()
    hosted = HostedStore(CustomSpec("board", lambda: made), made, state._tables["board"], state.store("board").clean)  # type: ignore[arg-type]
    board(state).scored("ann", 1)
    board(state).scored("bob", 2)
    state.commit({})
    hosted.custom()
    assert seen[0].get(b"ann") == (b"1", 0)
    assert seen[0].get(b"eve") is None
    assert list(seen[0].scan(b"b", None)) == [(b"bob", b"2", 0)]
