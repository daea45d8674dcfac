"""Key-value stores of bounded size, on every backend. The store `recent` holds three rows."""

from __future__ import annotations

import pytest

from stores import KeyValueSpec, LruKeyValueStore, TaskState
from tests.stores.backends import JSON, Backend, fill, replay, values

RECENT = KeyValueSpec("recent", JSON, max_entries=3, persistent=False)


@pytest.fixture
def state(backend: Backend) -> TaskState:
    return backend.open([RECENT])


def recent(state: TaskState) -> LruKeyValueStore:
    store = state.store("recent")
    assert isinstance(store, LruKeyValueStore)
    return store


@pytest.mark.parametrize("committed", [False, True])
def test_put_beyond_the_limit_evicts_the_least_recently_used_row(state: TaskState, committed: bool) -> None:
    store = recent(state)
    fill(store, {b"a": 1, b"b": 2, b"c": 3})
    if committed:
        state.commit({})
    store.get(b"a")
    fill(store, {b"b": 4})
    fill(store, {b"d": 5})
    assert values(store.all()) == {b"a": 1, b"b": 4, b"d": 5}
    fill(store, {b"e": 6})
    assert values(store.all()) == {b"b": 4, b"d": 5, b"e": 6}
    assert store.get(b"a") is None
    assert store.approximate_entries() == 3


def test_evictions_are_tombstones_in_the_changelog(state: TaskState) -> None:
    store = recent(state)
    fill(store, {b"a": 1, b"b": 2, b"c": 3})
    list(state.pending("recent"))
    state.commit({})
    fill(store, {b"d": 4})
    assert {key: value for key, value, _ in replay(state.pending("recent"))} == {b"a": None, b"d": b"4"}


def test_deleted_rows_make_room(state: TaskState) -> None:
    store = recent(state)
    fill(store, {b"a": 1, b"b": 2, b"c": 3})
    assert store.delete(b"c") == (3, 1)
    fill(store, {b"d": 4})
    assert values(store.all()) == {b"a": 1, b"b": 2, b"d": 4}


def test_rows_set_in_dirty_are_bounded_by_the_commit(state: TaskState) -> None:
    store = recent(state)
    for number in range(10):
        store.dirty[b"%d" % number] = (number, 1)
    state.commit({})
    assert values(store.all()) == {b"7": 7, b"8": 8, b"9": 9}


def test_discard_brings_evicted_rows_back(state: TaskState) -> None:
    store = recent(state)
    fill(store, {b"c": 1, b"b": 2, b"a": 3})
    state.commit({})
    fill(store, {b"d": 4, b"e": 5})
    state.discard()
    assert values(store.all()) == {b"a": 3, b"b": 2, b"c": 1}
    fill(store, {b"d": 4})
    assert len(values(store.all())) == 3


def test_restored_rows_were_used_in_the_order_of_the_changelog(state: TaskState) -> None:
    state.restore("recent", [(b"c", b"1", 1), (b"b", b"2", 1), (b"a", b"3", 1), (b"c", b"4", 1)], 4)
    store = recent(state)
    fill(store, {b"d": 5})
    assert values(store.all()) == {b"a": 3, b"c": 4, b"d": 5}


def test_spec_refuses_limits_that_cannot_be() -> None:
    with pytest.raises(ValueError, match=r"'s'.*max_entries is 0"):
        KeyValueSpec("s", JSON, max_entries=0, persistent=False)
    with pytest.raises(ValueError, match=r"'s'.*persistent=False"):
        KeyValueSpec("s", JSON, max_entries=5)
    with pytest.raises(ValueError, match=r"'s'.*expire_after_ms"):
        KeyValueSpec("s", JSON, max_entries=5, persistent=False, expire_after_ms=5)
