"""The contract of the task state, on every backend: what a commit holds together, restore, metadata."""

from __future__ import annotations

import pytest

from stores import (
    KeyValueSpec,
    StateLockedError,
    StateMismatchError,
    StoreClosedError,
    StoreError,
    TaskState,
    UnknownStoreError,
    ValueCodec,
    WindowSpec,
)
from stores.errors import RowDecodeError
from tests.stores.backends import COUNTS, JSON, NAMES, WINDOWS, Backend, fill, key_values, replay, values, windows


@pytest.fixture
def state(backend: Backend) -> TaskState:
    return backend.open()


def test_new_state_has_no_positions_and_no_metadata(state: TaskState) -> None:
    assert dict(state.positions) == {}
    assert dict(state.metadata) == {}
    assert state.abandoned == ()


def test_unknown_store_is_named_with_the_known_ones(state: TaskState) -> None:
    with pytest.raises(UnknownStoreError, match=r"'nope'.*counts, names, windows"):
        state.store("nope")
    with pytest.raises(UnknownStoreError):
        state.commit({"nope": 1})
    with pytest.raises(UnknownStoreError):
        state.restore("nope", [], 0)


def test_two_stores_of_one_name_are_refused(backend: Backend) -> None:
    with pytest.raises(StoreError, match="two stores are named 'counts'"):
        backend.open([COUNTS, COUNTS])
    backend.open([COUNTS])


def test_commit_holds_all_stores_positions_and_metadata(backend: Backend) -> None:
    state = backend.open()
    fill(key_values(state), {b"a": 1})
    fill(key_values(state, "names"), {b"b": "x"})
    windows(state).put(b"c", 10, (3, 3))
    state.commit({"counts": 7, "windows": 0}, {"clocks": b"\x00\x01", "gone": b""})
    for _ in range(2):
        assert state.positions == {"counts": 7, "windows": 0}
        assert state.metadata == {"clocks": b"\x00\x01", "gone": b""}
        assert values(key_values(state).all()) == {b"a": 1}
        assert values(key_values(state, "names").all()) == {b"b": "x"}
        assert windows(state).get(b"c", 10) == (3, 3)
        state = backend.restart()


def test_commit_keeps_positions_and_metadata_it_does_not_name(backend: Backend) -> None:
    state = backend.open()
    state.commit({"counts": 7, "names": 8}, {"a": b"1", "b": b"2"})
    state.commit({"counts": 9}, {"a": None, "c": b"3", "never": None})
    for _ in range(2):
        assert state.positions == {"counts": 9, "names": 8}
        assert state.metadata == {"b": b"2", "c": b"3"}
        state = backend.restart()


def test_mappings_read_before_a_commit_do_not_change(state: TaskState) -> None:
    state.commit({"counts": 1}, {"a": b"1"})
    positions, metadata = state.positions, state.metadata
    state.commit({"counts": 2}, {"a": b"2"})
    assert positions == {"counts": 1}
    assert metadata == {"a": b"1"}


def test_failed_commit_changes_nothing_and_may_be_repeated(backend: Backend) -> None:
    state = backend.open()
    fill(key_values(state), {b"a": 1})
    key_values(state, "names").put(b"bad", (object(), 1))
    with pytest.raises(StoreError):
        state.commit({"counts": 5}, {"m": b"1"})
    assert state.positions == {}
    assert state.metadata == {}
    assert key_values(state).reader().get(b"a") is None
    key_values(state, "names").put(b"bad", ("good", 1))
    fill(key_values(state), {b"a": 2})
    state.commit({"counts": 5}, {"m": b"1"})
    state = backend.restart()
    assert values(key_values(state).all()) == {b"a": 2}
    assert values(key_values(state, "names").all()) == {b"bad": "good"}
    assert state.positions == {"counts": 5}


def test_discard_drops_the_dirty_rows_of_all_stores(state: TaskState) -> None:
    fill(key_values(state), {b"a": 1})
    state.commit({})
    fill(key_values(state), {b"a": 2})
    fill(key_values(state, "names"), {b"b": 2})
    windows(state).put(b"c", 10, (3, 3))
    list(state.pending("counts"))
    state.discard()
    assert state.dirty_bytes == 0
    assert list(state.pending("counts")) == []
    assert values(key_values(state).all()) == {b"a": 1}
    assert values(key_values(state, "names").all()) == {}
    assert list(windows(state).all()) == []
    state.commit({})
    assert key_values(state).reader().get(b"a") == (1, 1)


# Restore


def test_restore_from_another_states_changelog_gives_the_same_rows(backend: Backend) -> None:
    state = backend.open()
    store = key_values(state)
    topic: list[tuple[bytes, bytes | None, int]] = []
    for step in range(4):
        fill(store, {b"%d" % key: [key, step] for key in range(step, 40, step + 1)}, timestamp=step)
        store.delete(b"%d" % (step * 3))
        topic += replay(state.pending("counts"))
        state.commit({"counts": len(topic)})
    elsewhere = backend.elsewhere()
    restored = elsewhere.open()
    restored.restore("counts", topic[:25], 25)
    assert restored.positions == {"counts": 25}
    restored.restore("counts", topic[20:], len(topic))
    assert list(key_values(restored).all()) == list(store.all())
    restored = elsewhere.restart()
    assert restored.positions == state.positions
    assert list(key_values(restored).all()) == list(store.all())
    elsewhere.close()


def test_restore_replaces_rows_that_were_read_before(state: TaskState) -> None:
    state.restore("counts", [(b"a", b"1", 1)], 1)
    assert key_values(state).get(b"a") == (1, 1)
    assert key_values(state).get(b"b") is None
    state.restore("counts", [(b"a", None, 0), (b"b", b"2", 2)], 3)
    assert key_values(state).get(b"a") is None
    assert key_values(state).get(b"b") == (2, 2)


def test_restore_of_nothing_still_moves_the_position(backend: Backend) -> None:
    backend.open().restore("counts", [], 12)
    assert backend.restart().positions == {"counts": 12}


def test_restore_over_uncommitted_rows_is_refused(state: TaskState) -> None:
    fill(key_values(state), {b"a": 1})
    with pytest.raises(StoreError, match="restore comes before processing"):
        state.restore("counts", [], 1)


def test_last_record_of_a_key_wins_within_a_restore(state: TaskState) -> None:
    state.restore("counts", [(b"a", b"1", 1), (b"a", None, 0), (b"a", b"2", 2), (b"b", b"1", 1), (b"b", None, 0)], 5)
    assert values(key_values(state).all()) == {b"a": 2}


# Opening again


def test_state_that_is_open_cannot_be_opened_again_until_it_is_closed(backend: Backend) -> None:
    state = backend.open()
    with pytest.raises(StateLockedError) as raised:
        backend.open()
    assert raised.value.retriable
    fill(key_values(state), {b"a": 1})
    state.commit({})
    state.close()
    assert values(key_values(backend.open()).all()) == {b"a": 1}


def test_close_twice_is_harmless_and_everything_after_it_fails(state: TaskState) -> None:
    state.close()
    state.close()
    for use in (
        lambda: state.commit({}),
        lambda: state.pending("counts"),
        lambda: state.restore("counts", [], 1),
    ):
        with pytest.raises(StoreClosedError):
            use()


def test_close_with_an_open_scan_frees_the_state(backend: Backend) -> None:
    state = backend.open()
    fill(key_values(state), {b"%04d" % number: number for number in range(2000)})
    state.commit({})
    scans = [key_values(state).all(), key_values(state).reader().all(reverse=True)]
    for rows in scans:
        next(rows)
    state = backend.restart()
    assert len(values(key_values(state).all())) == 2000


def test_state_is_a_context_manager(backend: Backend) -> None:
    with backend.open() as state:
        state.commit({"counts": 3})
    with pytest.raises(StoreClosedError):
        state.commit({})
    assert backend.open().positions == {"counts": 3}


def test_store_that_left_the_topology_is_kept_and_reported(backend: Backend) -> None:
    state = backend.open()
    fill(key_values(state, "names"), {b"a": "x"})
    state.commit({"names": 4})
    state = backend.restart([COUNTS])
    assert state.abandoned == ("names", "windows")
    fill(key_values(state), {b"b": 1})
    state.commit({})
    state = backend.restart([COUNTS, NAMES, WINDOWS, KeyValueSpec("new", JSON)])
    assert state.abandoned == ()
    assert values(key_values(state, "names").all()) == {b"a": "x"}
    assert state.positions == {"names": 4}


def test_store_that_changed_its_kind_is_refused_and_the_state_freed(backend: Backend) -> None:
    backend.open().commit({})
    backend.close()
    with pytest.raises(StateMismatchError, match=r"'counts'.*key-value.*window.*rename"):
        backend.open([WindowSpec("counts", JSON, size_ms=1, retention_ms=1)])
    with pytest.raises(StateMismatchError, match=r"'windows'.*window.*key-value"):
        backend.open([KeyValueSpec("windows", JSON)])
    backend.open()


def test_codec_that_no_longer_fits_fails_when_opened(backend: Backend) -> None:
    state = backend.open()
    fill(key_values(state), {b"a": "text"})
    state.commit({})
    backend.close()
    numbers = ValueCodec(lambda value: b"%d" % value, int)
    with pytest.raises(RowDecodeError, match=r"'counts'.*b'a'.*ValueError"):
        backend.open([KeyValueSpec("counts", numbers)])
    backend.open()


def test_size_bytes_grows_with_committed_rows(state: TaskState) -> None:
    before = state.size_bytes
    fill(key_values(state), {b"%04d" % number: "x" * 100 for number in range(1000)})
    state.commit({})
    assert state.size_bytes - before > 90_000


def test_names_are_any_text(backend: Backend) -> None:
    spec = KeyValueSpec("KSTREAM-AGGREGATE-STATE-STORE-0000000003 é/..:", JSON)
    state = backend.open([spec])
    fill(key_values(state, spec.name), {b"a": 1})
    state.commit({spec.name: 3}, {"métadonnées: x": b"1"})
    state = backend.restart([spec])
    assert state.positions == {spec.name: 3}
    assert state.metadata == {"métadonnées: x": b"1"}
    assert values(key_values(state, spec.name).all()) == {b"a": 1}
