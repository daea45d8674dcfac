"""The contract of window stores, on every backend. The store `windows` keeps 100 ms in segments of 30 ms."""

from __future__ import annotations

from typing import Any

import pytest

from stores import MISSING, ChangelogRecord, ChangelogRecordError, StoreError, TaskState, WindowSpec, WindowStore
from stores.timed_keys import WINDOW_KEYS
from tests.stores.backends import JSON, WINDOWS, Backend, replay, windows


@pytest.fixture
def state(backend: Backend) -> TaskState:
    return backend.open()


def put_all(store: WindowStore, rows: dict[tuple[bytes, int], Any], timestamp: int = 1) -> None:
    for (key, start), value in rows.items():
        store.put(key, start, None if value is None else (value, timestamp))


def starts(store: WindowStore, key: bytes, first: int = 0, last: int = 10_000, *, reverse: bool = False) -> list[int]:
    return [start for start, _ in store.fetch(key, first, last, reverse=reverse)]


def contents(store: WindowStore) -> dict[tuple[bytes, int], Any]:
    return {window: value for window, (value, _) in store.all()}


# Rows


def test_get_after_put_commit_and_restart_gives_the_row(backend: Backend) -> None:
    state = backend.open()
    windows(state).put(b"a", 20, ([1], 25))
    assert windows(state).get(b"a", 20) == ([1], 25)
    assert windows(state).get(b"a", 30) is None
    assert windows(state).get(b"b", 20) is None
    state.commit({})
    assert windows(state).get(b"a", 20) == ([1], 25)
    assert windows(backend.restart()).get(b"a", 20) == ([1], 25)


def test_put_none_deletes_the_row(backend: Backend) -> None:
    state = backend.open()
    put_all(windows(state), {(b"a", 0): 1, (b"a", 10): 2})
    state.commit({})
    windows(state).put(b"a", 0, None)
    assert windows(state).get(b"a", 0) is None
    assert list(state.pending("windows")) == [ChangelogRecord(WINDOW_KEYS.changelog_key(b"a", 0), None, 0)]
    state.commit({})
    assert contents(windows(backend.restart())) == {(b"a", 10): 2}


def test_put_with_a_negative_start_fails(state: TaskState) -> None:
    with pytest.raises(ValueError, match=r"'windows'.*-1.*negative"):
        windows(state).put(b"a", -1, (1, 1))
    windows(state).dirty[-5] = {b"a": (1, 1)}
    with pytest.raises(StoreError, match=r"'windows'.*-5.*negative"):
        state.pending("windows")


def test_dirty_as_generated_code_uses_it(backend: Backend) -> None:
    state = backend.open()
    store = windows(state)
    dirty = store.dirty
    for start in (0, 10, 0, 10):
        rows = dirty.get(start)
        if rows is None:
            rows = dirty[start] = {}
        row = rows.get(b"k", MISSING)
        if row is MISSING:
            row = store.load(b"k", start)
        rows[b"k"] = (1 if row is None else row[0] + 1, start)
    assert contents(store) == {(b"k", 0): 2, (b"k", 10): 2}
    state.commit({})
    assert store.dirty is dirty
    assert dirty == {}
    assert store.load(b"k", 10) == (2, 10)
    assert contents(windows(backend.restart())) == {(b"k", 0): 2, (b"k", 10): 2}


def test_empty_inner_dict_is_no_row(state: TaskState) -> None:
    store = windows(state)
    store.dirty[50] = {}
    assert contents(store) == {}
    assert state.dirty_bytes == 0
    assert list(state.pending("windows")) == []
    state.commit({})
    assert store.get(b"a", 50) is None


# Scans


SCANNED = {
    (b"a", 0): 1, (b"b", 5): 2, (b"a", 29): 3, (b"a", 30): 4, (b"", 31): 5, (b"aa", 31): 6,
    (b"a", 60): 7, (b"a" + bytes(12), 0): 8, (b"\xff", 89): 9, (b"a", 90): 10,
}  # fmt: skip
"""Several segments; keys that begin with other keys, one so that its rows lie between the other's."""


@pytest.fixture(params=["dirty", "committed", "half"])
def scanned(request: pytest.FixtureRequest, state: TaskState) -> WindowStore:
    store = windows(state)
    items = list(SCANNED.items())
    if request.param == "dirty":
        put_all(store, SCANNED)
    elif request.param == "committed":
        put_all(store, SCANNED)
        state.commit({})
    else:
        put_all(store, {**dict(items[::2]), (b"a", 10): "deleted", (b"a", 30): "old"})
        state.commit({})
        put_all(store, {**dict(items[1::2]), (b"a", 10): None, (b"c", 10): None})
    return store


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(
    ("first", "last"), [(0, 10_000), (0, 29), (29, 30), (30, 30), (-5, 2**63 - 1), (61, 89), (60, 0)]
)
def test_fetch_gives_the_starts_of_one_key_in_order(scanned: WindowStore, first: int, last: int, reverse: bool) -> None:
    for key in (b"a", b"aa", b"", b"a" + bytes(12), b"none"):
        expected = sorted((start for name, start in SCANNED if name == key and first <= start <= last), reverse=reverse)
        assert starts(scanned, key, first, last, reverse=reverse) == expected


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(("first", "last"), [(0, 10_000), (0, 29), (29, 31), (-5, 2**63 - 1), (61, 61), (60, 0)])
def test_fetch_all_is_by_segment_then_key_then_start(
    scanned: WindowStore, first: int, last: int, reverse: bool
) -> None:
    expected = sorted(
        (window for window in SCANNED if first <= window[1] <= last),
        key=lambda window: (window[1] // 30, WINDOW_KEYS.changelog_key(*window)),
        reverse=reverse,
    )
    found = list(scanned.fetch_all(first, last, reverse=reverse))
    assert [window for window, _ in found] == expected
    assert [value for _, (value, _) in found] == [SCANNED[window] for window in expected]


def test_all_of_the_reader_is_the_committed_rows(scanned: WindowStore, state: TaskState) -> None:
    state.commit({})
    put_all(scanned, {(b"new", 80): 1})
    assert {window: value for window, (value, _) in scanned.reader().all()} == SCANNED
    assert scanned.reader().get(b"a", 29) == (3, 1)
    assert scanned.reader().get(b"a", 28) is None
    assert [start for start, _ in scanned.reader().fetch(b"a", 1, 60, reverse=True)] == [60, 30, 29]
    assert [window for window, _ in scanned.reader().fetch_all(30, 31)] == [(b"", 31), (b"a", 30), (b"aa", 31)]


@pytest.mark.parametrize("reverse", [False, True])
def test_scan_is_not_moved_by_writes_of_its_own_loop(state: TaskState, reverse: bool) -> None:
    store = windows(state)
    put_all(store, {(b"%03d" % number, number % 90): number for number in range(400)})
    state.commit({})
    put_all(store, {(b"%03d" % number, number % 90): -number for number in range(0, 400, 3)})
    expected = list(store.all(reverse=reverse))
    seen: list[object] = []
    for window, row in store.all(reverse=reverse):
        seen.append((window, row))
        store.put(*window, None)
        put_all(store, {(b"!" + window[0], window[1]): 1, (b"zz" + window[0], 95): 1})
    assert seen == expected


def test_fetch_over_many_empty_segments_finds_the_rows(state: TaskState) -> None:
    store = windows(state)
    put_all(store, {(b"a", start): start for start in (0, 30_000, 10_000_000)})
    state.commit({})
    assert starts(store, b"a", 0, 2**62) == [0, 30_000, 10_000_000]
    assert starts(store, b"a", 1, 9_999_999) == [30_000]


# Retention


def test_rows_out_of_retention_are_hidden_at_once_from_all_reads(state: TaskState) -> None:
    store = windows(state)
    put_all(store, {(b"a", 0): 1, (b"a", 10): 2, (b"a", 11): 3})
    state.commit({})
    put_all(store, {(b"b", 10): 4, (b"b", 11): 5})
    store.advance(110)
    assert [store.get(key, start) for key in (b"a", b"b") for start in (10, 11)] == [None, (3, 1), None, (5, 1)]
    assert store.load(b"a", 10) is None
    assert starts(store, b"a") == [11]
    assert list(store.fetch_all(0, 10)) == []
    assert contents(store) == {(b"a", 11): 3, (b"b", 11): 5}


def test_time_does_not_go_back(state: TaskState) -> None:
    store = windows(state)
    put_all(store, {(b"a", 10): 1, (b"a", 50): 1})
    store.advance(110)
    store.advance(20)
    assert store.time == 110
    assert contents(store) == {(b"a", 50): 1}


def test_hidden_rows_leave_dirty_so_generated_code_starts_anew(state: TaskState) -> None:
    store = windows(state)
    put_all(store, {(b"a", 10): 1, (b"a", 50): 1})
    store.advance(110)
    assert list(store.dirty) == [50]
    store.dirty[10] = {b"a": (9, 9)}  # a late record that is still accepted
    store.advance(110)
    assert list(store.dirty) == [50]
    store.dirty[10] = {b"a": (9, 9)}
    assert [record.key for record in state.pending("windows")] == [WINDOW_KEYS.changelog_key(b"a", 50)]
    state.commit({})
    assert contents(store) == {(b"a", 50): 1}


def test_put_into_a_hidden_window_is_ignored(state: TaskState) -> None:
    store = windows(state)
    store.advance(110)
    store.put(b"a", 10, (1, 1))
    assert store.get(b"a", 10) is None
    assert list(state.pending("windows")) == []


def test_expired_segments_come_as_tombstones_and_are_deleted_at_commit(backend: Backend) -> None:
    state = backend.open()
    store = windows(state)
    put_all(store, {(key, start): 1 for key in (b"a", b"b") for start in (0, 29, 30, 59, 60)})
    state.commit({})
    store.advance(150)  # hides up to 50: segment 0 has expired, 30..59 has not
    expected = [
        ChangelogRecord(WINDOW_KEYS.changelog_key(key, start), None, 150) for key in (b"a", b"b") for start in (0, 29)
    ]
    assert list(state.pending("windows")) == expected
    assert list(state.pending("windows")) == expected, "pending commits nothing"
    state.commit({})
    assert list(state.pending("windows")) == []
    assert contents(windows(backend.restart())) == {(key, start): 1 for key in (b"a", b"b") for start in (59, 60)}
    remembers_more = WindowSpec("windows", JSON, size_ms=10, retention_ms=10_000)
    stored = contents(windows(backend.restart([remembers_more])))
    assert stored == {(key, start): 1 for key in (b"a", b"b") for start in (30, 59, 60)}


def test_expiry_of_several_segments_at_once_keeps_the_live_ones(backend: Backend) -> None:
    state = backend.open()
    store = windows(state)
    put_all(store, {(b"a", start): start for start in range(0, 300, 10)})
    state.commit({})
    store.advance(320)
    put_all(store, {(b"a", 310): 310})
    tombstones = [record for record in state.pending("windows") if record.value is None]
    assert [record.key for record in tombstones] == [
        WINDOW_KEYS.changelog_key(b"a", start) for start in range(0, 210, 10)
    ]
    state.commit({})
    assert starts(store, b"a") == [*range(230, 300, 10), 310]
    assert starts(windows(backend.restart()), b"a") == [*range(230, 300, 10), 310]


def test_expiry_of_all_rows_leaves_a_store_that_works_on(backend: Backend) -> None:
    state = backend.open()
    store = windows(state)
    put_all(store, {(b"a", 0): 1})
    state.commit({})
    store.advance(1_000)
    assert [record.value for record in state.pending("windows")] == [None]
    state.commit({})
    assert contents(store) == {}
    put_all(store, {(b"a", 950): 2})
    state.commit({})
    assert contents(store) == {(b"a", 950): 2}
    assert contents(windows(backend.restart())) == {(b"a", 950): 2}


def test_advance_between_pending_and_commit_deletes_only_what_pending_named(state: TaskState) -> None:
    store = windows(state)
    put_all(store, {(b"a", 0): 1, (b"a", 30): 1, (b"a", 400): 1})
    state.commit({})
    store.advance(130)
    assert [record.key for record in state.pending("windows")] == [WINDOW_KEYS.changelog_key(b"a", 0)]
    store.advance(200)
    state.commit({})
    assert [record.key for record in state.pending("windows")] == [WINDOW_KEYS.changelog_key(b"a", 30)]


def test_time_is_committed_so_a_restart_hides_the_same_rows(backend: Backend) -> None:
    state = backend.open()
    store = windows(state)
    put_all(store, {(b"a", 31): 1, (b"a", 59): 1})
    store.advance(140)
    state.commit({})
    store.advance(150)
    store = windows(backend.restart())
    assert store.time == 140
    assert contents(store) == {(b"a", 59): 1}
    store.advance(159)
    assert contents(store) == {}


def test_reader_hides_by_the_committed_time(state: TaskState) -> None:
    store = windows(state)
    put_all(store, {(b"a", 31): 1, (b"a", 59): 1})
    state.commit({})
    store.advance(140)
    assert [window for window, _ in store.reader().all()] == [(b"a", 31), (b"a", 59)]
    state.commit({})
    assert [window for window, _ in store.reader().all()] == [(b"a", 59)]
    assert store.reader().get(b"a", 31) is None


def test_discard_takes_time_and_rows_back(state: TaskState) -> None:
    store = windows(state)
    store.put(b"a", 10, ([1], 1))
    store.advance(50)
    state.commit({})
    row = store.get(b"a", 10)
    assert row is not None
    row[0].append(2)
    put_all(store, {(b"a", 10): row[0], (b"a", 300): 1})
    store.advance(500)
    assert contents(store) == {}
    state.discard()
    assert store.time == 50
    assert contents(store) == {(b"a", 10): [1]}


def test_rows_set_after_pending_stay_dirty_over_the_commit(backend: Backend) -> None:
    state = backend.open()
    store = windows(state)
    put_all(store, {(b"a", 0): 1, (b"b", 0): 1, (b"a", 10): 1})
    list(state.pending("windows"))
    put_all(store, {(b"b", 0): 2, (b"c", 20): 2})
    state.commit({})
    assert {window: value for window, (value, _) in store.reader().all()} == {(b"a", 0): 1, (b"a", 10): 1, (b"b", 0): 1}
    assert contents(store) == {(b"a", 0): 1, (b"a", 10): 1, (b"b", 0): 2, (b"c", 20): 2}
    assert {record.key for record in state.pending("windows")} == {
        WINDOW_KEYS.changelog_key(b"b", 0),
        WINDOW_KEYS.changelog_key(b"c", 20),
    }
    state.commit({})
    assert contents(windows(backend.restart())) == {(b"a", 0): 1, (b"a", 10): 1, (b"b", 0): 2, (b"c", 20): 2}


# Changelog and restore


def test_pending_has_kafkas_window_keys(state: TaskState) -> None:
    windows(state).put(b"key", 20, ("v", 25))
    assert list(state.pending("windows")) == [
        ChangelogRecord(b"key" + bytes([0, 0, 0, 0, 0, 0, 0, 20]) + bytes(4), b'"v"', 25)
    ]


def test_restore_from_a_changelog_gives_the_same_rows(backend: Backend) -> None:
    state = backend.open()
    store = windows(state)
    topic: list[tuple[bytes, bytes | None, int]] = []
    for end in (40, 80, 160):
        put_all(store, {(key, start): start for key in (b"a", b"") for start in range(end - 40, end, 10)}, end)
        store.put(b"a", end - 40, None)
        store.advance(end)
        topic += replay(state.pending("windows"))
        state.commit({"windows": len(topic)})
    elsewhere = backend.elsewhere()
    restored = elsewhere.open()
    restored.restore("windows", topic[:7], 7)
    restored.restore("windows", topic[5:], len(topic))
    windows(restored).advance(160)
    assert list(windows(restored).all()) == list(store.all())
    assert contents(store)
    assert restored.positions["windows"] == len(topic)
    again = windows(elsewhere.restart())
    again.advance(160)  # a restored store learns the time from its operator
    assert list(again.all()) == list(store.all())
    elsewhere.close()


@pytest.mark.parametrize("key", [b"", b"short", b"k" + b"\xff" * 8 + bytes(4)])
def test_restore_of_a_record_without_a_window_fails_and_names_it(state: TaskState, key: bytes) -> None:
    with pytest.raises(ChangelogRecordError, match="'windows'"):
        state.restore("windows", [(WINDOW_KEYS.changelog_key(b"a", 0), b"1", 1), (key, b"1", 1)], 2)
    assert contents(windows(state)) == {}
    assert "windows" not in state.positions


def test_segments_stay_as_they_were_created(backend: Backend) -> None:
    state = backend.open([WINDOWS])
    put_all(windows(state), {(b"a", 0): 1, (b"a", 35): 2})
    state.commit({})
    wider = WindowSpec("windows", JSON, size_ms=10, retention_ms=500, segment_ms=250)
    state = backend.restart([wider])
    assert windows(state).get(b"a", 35) == (2, 1)
    put_all(windows(state), {(b"a", 35): 3, (b"a", 300): 4})
    state.commit({})
    assert contents(windows(backend.restart([wider]))) == {(b"a", 0): 1, (b"a", 35): 3, (b"a", 300): 4}


@pytest.mark.parametrize(
    ("retention_ms", "segment_ms", "expected"), [(10, None, 60_000), (600_000, None, 300_000), (600_000, 7, 7)]
)
def test_segment_interval_defaults_to_kafkas(retention_ms: int, segment_ms: int | None, expected: int) -> None:
    spec = WindowSpec("w", JSON, size_ms=10, retention_ms=retention_ms, segment_ms=segment_ms)
    assert spec.segment_interval_ms == expected


@pytest.mark.parametrize(("retention_ms", "segment_ms"), [(-1, None), (10, 0)])
def test_window_spec_refuses_impossible_durations(retention_ms: int, segment_ms: int | None) -> None:
    with pytest.raises(ValueError, match="'w'"):
        WindowSpec("w", JSON, size_ms=10, retention_ms=retention_ms, segment_ms=segment_ms)
