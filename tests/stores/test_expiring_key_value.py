"""Key-value stores whose rows expire, on every backend. The store `seen` forgets after 100 ms."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stores import ExpiringKeyValueStore, KeyValueSpec, TaskState
from stores.expiring_key_value import LEAST_SWEEP_ROWS
from tests.stores.backends import JSON, Backend, MemoryBackend, replay, values

TOLD = KeyValueSpec("seen", JSON, expire_after_ms=100)
FOLLOWING = KeyValueSpec("seen", JSON, expire_after_ms=100, follows_puts=True)


def seen(state: TaskState) -> ExpiringKeyValueStore:
    store = state.store("seen")
    assert isinstance(store, ExpiringKeyValueStore)
    return store


@pytest.mark.parametrize("committed", [False, True])
def test_expired_rows_are_hidden_at_once_from_all_reads(backend: Backend, committed: bool) -> None:
    state = backend.open([TOLD])
    store = seen(state)
    for key, time in ((b"a", 10), (b"b", 11)):
        store.put(key, (time, time))
    if committed:
        state.commit({})
    assert store.get(b"a") == (10, 10)
    store.advance(110)
    assert [store.get(key) for key in (b"a", b"b")] == [None, (11, 11)]
    assert values(store.all()) == values(store.range(b"a", None)) == values(store.prefix(b"")) == {b"b": 11}
    assert store.put_if_absent(b"a", (50, 50)) is None
    assert store.delete(b"a") == (50, 50)
    assert store.load(b"a") is None
    store.advance(111)
    assert store.delete(b"b") is None
    assert list(store.all(reverse=True)) == []


def test_expired_rows_are_deleted_with_tombstones_by_the_next_commit(backend: Backend) -> None:
    state = backend.open([TOLD])
    store = seen(state)
    for key, time in ((b"a", 10), (b"b", 11), (b"c", 10), (b"e", 10)):
        store.put(key, (time, time))
    state.commit({})
    store.put(b"c", (90, 90))
    store.put(b"d", (5, 5))
    store.advance(110)
    records = {key: value for key, value, _ in replay(state.pending("seen"))}
    assert records == {b"a": None, b"c": b"90", b"d": None, b"e": None}
    state.commit({})
    assert replay(state.pending("seen")) == []
    longer = KeyValueSpec("seen", JSON, expire_after_ms=10_000)
    assert values(seen(backend.restart([longer])).all()) == {b"b": 11, b"c": 90}


def test_sweep_goes_round_the_table_in_stretches(backend: Backend) -> None:
    state = backend.open([TOLD])
    store = seen(state)
    rows = 3 * LEAST_SWEEP_ROWS
    for number in range(rows):
        store.put(b"%06d" % number, (number, 10))
    state.commit({})
    store.advance(200)
    deleted: list[bytes] = []
    for _ in range(3):
        deleted += [key for key, _, _ in replay(state.pending("seen"))]
        state.commit({})
    assert deleted == [b"%06d" % number for number in range(rows)]
    store.put(b"000001", (1, 90))
    state.commit({})
    store.advance(300)
    for _ in range(3):
        state.commit({})
    assert store.reader().approximate_entries() in range(rows + 1)
    assert list(store.reader().range(None, None)) == []


def test_reader_hides_by_the_committed_time(backend: Backend) -> None:
    state = backend.open([TOLD])
    store = seen(state)
    store.put(b"a", (1, 10))
    state.commit({})
    store.advance(110)
    assert store.reader().get(b"a") == (1, 10)
    list(state.pending("seen"))
    state.commit({})
    assert store.reader().get(b"a") is None
    assert list(store.reader().all()) == []


def test_time_survives_restart_and_goes_back_with_discard(backend: Backend) -> None:
    state = backend.open([TOLD])
    store = seen(state)
    store.put(b"a", (1, 60))
    store.advance(150)
    state.commit({})
    store.advance(160)
    assert store.get(b"a") is None
    state.discard()
    assert (store.time, store.get(b"a")) == (150, (1, 60))
    store = seen(backend.restart([TOLD]))
    assert (store.time, store.get(b"a")) == (150, (1, 60))


def test_following_store_takes_the_newest_timestamp_for_its_time(backend: Backend) -> None:
    state = backend.open([FOLLOWING])
    store = seen(state)
    store.put(b"a", (1, 10))
    store.put(b"b", (2, 109))
    assert values(store.all()) == {b"a": 1, b"b": 2}
    log = replay(state.pending("seen"))
    state.commit({})
    store.put(b"c", (3, 110))
    assert values(store.all()) == {b"b": 2, b"c": 3}
    store.put(b"late", (4, 10))
    assert store.get(b"late") is None
    elsewhere = backend.elsewhere()
    restored = elsewhere.open([FOLLOWING])
    restored.restore("seen", log, 2)
    assert seen(restored).time == 109
    assert seen(elsewhere.restart([FOLLOWING])).time == 109
    elsewhere.close()


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put", "delete", "advance", "commit", "crash", "discard"]),
        st.sampled_from([b"", b"a", b"b"]),
        st.integers(0, 400),
    ),
    max_size=40,
)


@settings(max_examples=200, deadline=None)
@given(steps=STEPS)
def test_expiring_store_agrees_with_a_dict(steps: list[tuple[str, bytes, int]]) -> None:
    backend = MemoryBackend()
    state = backend.open([TOLD])
    rows: dict[bytes, tuple[Any, int]] = {}
    clock = -1
    committed = dict(rows), clock
    for step, key, time in steps:
        if step == "put":
            seen(state).put(key, ("value", time))
            rows[key] = "value", time
        elif step == "delete":
            seen(state).delete(key)
            rows.pop(key, None)
        elif step == "advance":
            seen(state).advance(time)
            clock = max(clock, time)
        elif step == "commit":
            state.commit({})
            committed = dict(rows), clock
        else:
            if step == "crash":
                state = backend.restart([TOLD])
            else:
                state.discard()
            rows, clock = dict(committed[0]), committed[1]
        alive = {each: row for each, row in rows.items() if row[1] > clock - 100}
        assert dict(seen(state).all()) == alive
        assert {each: seen(state).get(each) for each in rows} == {each: alive.get(each) for each in rows}


@pytest.mark.parametrize("expire_after_ms", [0, -1])
def test_spec_refuses_rows_that_expire_at_once(expire_after_ms: int) -> None:
    with pytest.raises(ValueError, match=rf"'s'.*expire_after_ms is {expire_after_ms}"):
        KeyValueSpec("s", JSON, expire_after_ms=expire_after_ms)
