"""What window stores that are kept key by key know without a look into the table, and what they still find."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from stores import KeyedWindowStore, TaskState, WindowSpec
from tests.stores.backends import WINDOWS, Backend

SPEC: WindowSpec = replace(WINDOWS, name="kept", duplicates=True, retention_ms=100_000, segment_ms=30)


def kept(state: TaskState) -> KeyedWindowStore:
    store = state.store("kept")
    assert isinstance(store, KeyedWindowStore)
    return store


def starts(store: KeyedWindowStore, key: bytes) -> list[int]:
    return [start for start, _, _ in store.rows_of(key, 0, 10_000)]


def test_append_puts_a_row_behind_those_of_its_start_and_gives_the_keys_rows(backend: Backend) -> None:
    store = kept(backend.open([SPEC]))
    for value, start in enumerate([20, 10, 20, 15, 10]):
        rows = store.append(b"k", start, (value, start))
    assert [(start, row[0]) for start, _, row in rows] == [(10, 1), (10, 4), (15, 3), (20, 0), (20, 2)]
    store.advance(100_012)
    assert 12 not in [start for start, _, _ in store.append(b"k", 12, (9, 12))], "it is hidden, and not kept"
    assert starts(store, b"k") == [15, 20, 20]


@pytest.mark.parametrize("together", [1, 7, 100])
def test_rows_of_keys_that_memory_let_go_are_found_again(backend: Backend, together: int) -> None:
    """There is room for about eight keys; each has rows at two times far apart, committed a few at a time."""
    state = backend.open([SPEC])
    store = kept(state)
    for place in range(100):
        store.clean.set_budget(8 * store.clean.row_bytes)
        for start in (place, 1_000 + place):
            store.append(b"%d" % place, start, (place, start))
        if place % together == 0:
            state.commit({})
    state.commit({})
    for place in (3, 50, 99, 0, 98, *range(100)):
        assert starts(store, b"%d" % place) == [place, 1_000 + place]


def test_rows_committed_before_the_store_was_opened_or_discarded_are_found(backend: Backend) -> None:
    state = backend.open([SPEC])
    kept(state).append(b"a", 50, (1, 50))
    state.commit({})
    kept(state).append(b"b", 60, (1, 60))
    state.discard()
    assert (starts(kept(state), b"a"), starts(kept(state), b"b")) == ([50], [])
    store = kept(backend.restart([SPEC]))
    assert [start for start, _, _ in store.append(b"a", 55, (2, 55))] == [50, 55]


def test_first_row_of_a_key_costs_no_look_into_the_table(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither does asking for a key there is nothing of, as long as memory holds all that is as new."""
    state = backend.open([SPEC])
    store = kept(state)
    store.append(b"a", 5, (1, 5))
    state.commit({})
    looks: list[bytes] = []
    segments = store._segments
    read = type(segments).rows_of
    monkeypatch.setattr(type(segments), "rows_of", lambda *args: [looks.append(args[1]), read(*args)][1], raising=True)
    store.append(b"b", 40, (1, 40))
    assert starts(store, b"c") == []
    assert starts(store, b"a") == [5]
    assert looks == []
    store.clean.set_budget(0)
    state.commit({})
    assert starts(store, b"a") == [5]
    assert looks == [b"a"]
