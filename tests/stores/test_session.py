"""The contract of session stores, on every backend. The store `sessions` keeps 100 ms in segments of 30 ms."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from stores import (
    ChangelogRecord,
    ChangelogRecordError,
    RocksDbResources,
    RocksDbTaskState,
    RowDecodeError,
    RowEncodeError,
    SessionSpec,
    SessionStore,
)
from stores.task_state import TaskState
from stores.timed_keys import SESSION_KEYS
from tests.stores.backends import JSON, SESSIONS, Backend, replay, session_store

FOLLOWING = replace(SESSIONS, follows_puts=True)


@pytest.fixture
def state(backend: Backend) -> TaskState:
    return backend.open([SESSIONS])


def put_all(store: SessionStore, rows: Iterable[tuple[bytes, int, int]], value: Any = None) -> None:
    for key, start, end in rows:
        store.put(key, start, end, ([start, end] if value is None else value, end))


def ranges(rows: Iterable[tuple[tuple[int, int], Any]]) -> list[tuple[int, int]]:
    return [session for session, _ in rows]


def contents(store: SessionStore) -> dict[tuple[bytes, int, int], Any]:
    return {session: value for session, (value, _) in store.all()}


# Rows


def test_get_after_put_commit_and_restart_gives_the_row_of_exactly_that_session(backend: Backend) -> None:
    state = backend.open([SESSIONS])
    store = session_store(state)
    store.put(b"a", 20, 35, ("x", 35))
    for _ in range(2):
        assert store.get(b"a", 20, 35) == ("x", 35)
        assert store.get(b"a", 20, 36) is None
        assert store.get(b"a", 21, 35) is None
        assert store.get(b"b", 20, 35) is None
        state.commit({})
    assert session_store(backend.restart([SESSIONS])).get(b"a", 20, 35) == ("x", 35)


def test_remove_and_put_none_delete_the_row(backend: Backend) -> None:
    state = backend.open([SESSIONS])
    store = session_store(state)
    put_all(store, [(b"a", 0, 5), (b"a", 1, 5), (b"a", 0, 6)])
    state.commit({})
    store.remove(b"a", 0, 5)
    store.put(b"a", 0, 6, None)
    store.remove(b"nothing", 0, 6)
    assert ranges(store.fetch(b"a")) == [(1, 5)]
    assert [(record.key, record.value) for record in state.pending("sessions")] == [
        (SESSION_KEYS.changelog_key(b"a", 5, 0), None),
        (SESSION_KEYS.changelog_key(b"a", 6, 0), None),
    ]
    state.commit({})
    assert contents(session_store(backend.restart([SESSIONS]))) == {(b"a", 1, 5): [1, 5]}


def test_sessions_that_grow_between_commits_leave_one_changelog_record(state: TaskState) -> None:
    store = session_store(state)
    for end in range(5):
        if end:
            store.remove(b"a", 0, end - 1)
        put_all(store, [(b"a", 0, end)])
    assert [record.key for record in state.pending("sessions")] == [SESSION_KEYS.changelog_key(b"a", 4, 0)]
    state.commit({})
    store.remove(b"a", 0, 4)
    put_all(store, [(b"a", 0, 5)])
    store.remove(b"a", 0, 5)
    put_all(store, [(b"a", 0, 6)])
    assert [(record.key, record.value is None) for record in state.pending("sessions")] == [
        (SESSION_KEYS.changelog_key(b"a", 4, 0), True),
        (SESSION_KEYS.changelog_key(b"a", 6, 0), False),
    ]


def test_session_removed_and_put_again_after_a_commit_is_there(backend: Backend) -> None:
    state = backend.open([SESSIONS])
    store = session_store(state)
    put_all(store, [(b"a", 0, 5)], "old")
    state.commit({})
    store.remove(b"a", 0, 5)
    put_all(store, [(b"a", 0, 5)], "new")
    store.remove(b"a", 0, 5)
    assert [record.value for record in state.pending("sessions")] == [None]
    put_all(store, [(b"a", 0, 5)], "newest")
    state.commit({})
    state.commit({})
    assert contents(session_store(backend.restart([SESSIONS]))) == {(b"a", 0, 5): "newest"}


def test_session_removed_between_pending_and_commit_is_deleted_by_the_next_commit(backend: Backend) -> None:
    state = backend.open([SESSIONS])
    store = session_store(state)
    put_all(store, [(b"a", 0, 5)])
    list(state.pending("sessions"))
    store.remove(b"a", 0, 5)
    put_all(store, [(b"a", 0, 9)])
    state.commit({})
    assert [session for session, _ in store.reader().all()] == [(b"a", 0, 5)]
    assert list(contents(store)) == [(b"a", 0, 9)]
    assert ranges(store.fetch(b"a")) == [(0, 9)]
    state.commit({})
    assert list(contents(session_store(backend.restart([SESSIONS])))) == [(b"a", 0, 9)]


def test_session_put_after_pending_is_found_also_where_nothing_clean_is_remembered(tmp_path: Path) -> None:
    with RocksDbTaskState.open(tmp_path / "task", [SESSIONS], RocksDbResources(clean_bytes=0)) as state:
        store = session_store(state)
        put_all(store, [(b"a", 0, 5)])
        list(state.pending("sessions"))
        put_all(store, [(b"a", 20, 25)])
        state.commit({})
        assert ranges(store.fetch(b"a")) == [(0, 5), (20, 25)]


@pytest.mark.parametrize(("start", "end"), [(-1, 5), (6, 5)])
def test_put_of_an_impossible_session_fails(state: TaskState, start: int, end: int) -> None:
    with pytest.raises(ValueError, match=rf"'sessions'.*from {start} to {end}"):
        session_store(state).put(b"a", start, end, (1, 1))


def test_put_with_a_text_key_fails_at_once(state: TaskState) -> None:
    with pytest.raises(TypeError, match=r"'sessions'.*serialise the key"):
        session_store(state).put("a", 0, 1, (1, 1))  # type: ignore[arg-type]


def test_row_that_does_not_encode_fails_and_names_the_key(state: TaskState) -> None:
    session_store(state).put(b"a", 0, 1, (object(), 1))
    with pytest.raises(RowEncodeError, match=r"'sessions', key b'a'"):
        state.pending("sessions")


def test_row_that_does_not_decode_fails_at_open(backend: Backend) -> None:
    state = backend.open([SESSIONS])
    put_all(session_store(state), [(b"a", 0, 5)])
    state.commit({})
    with pytest.raises(RowDecodeError, match=r"'sessions'"):
        backend.restart([replace(SESSIONS, codec=replace(JSON, decode=lambda _: 1 / 0))])


# Scans


SCANNED = [
    (b"a", 0, 5), (b"a", 10, 15), (b"a", 10, 29), (b"a", 0, 30), (b"a", 31, 31), (b"aa", 2, 30), (b"a", 40, 70),
    (b"a" + bytes(16), 0, 0), (b"", 3, 8), (b"b", 3, 8), (b"c", 0, 89), (b"a\x00\x00\x00", 60, 61),
]  # fmt: skip
"""Several segments; sessions that overlap; keys that begin with other keys."""


@pytest.fixture(params=["dirty", "committed", "half"])
def scanned(request: pytest.FixtureRequest, state: TaskState) -> SessionStore:
    store = session_store(state)
    if request.param == "half":
        put_all(store, [*SCANNED[::2], (b"a", 5, 10), (b"a", 20, 40)])
        state.commit({})
        store.remove(b"a", 5, 10)
        store.remove(b"a", 20, 40)
        put_all(store, SCANNED[1::2])
    else:
        put_all(store, SCANNED)
        if request.param == "committed":
            state.commit({})
    return store


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(
    ("earliest_end", "latest_start"), [(0, 100), (5, 10), (6, 10), (6, 9), (30, 31), (31, 30), (71, 100), (-5, 2**63)]
)
def test_find_gives_sessions_that_reach_the_range_by_end(
    scanned: SessionStore, earliest_end: int, latest_start: int, reverse: bool
) -> None:
    for key in (b"a", b"", b"c", b"a" + bytes(16), b"none"):
        expected = [
            (start, end)
            for end, start in sorted((end, start) for name, start, end in SCANNED if name == key)
            if end >= earliest_end and start <= latest_start
        ]
        if reverse:
            expected.reverse()
        found = list(scanned.find(key, earliest_end, latest_start, reverse=reverse))
        assert ranges(found) == expected
        assert [value for _, (value, _) in found] == [list(session) for session in expected]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(
    ("key_from", "key_to"),
    [(None, None), (b"a", b"b"), (None, b"a"), (b"aa", None), (b"b", b"a"), (b"a", b"a"), (b"a", b"a\x00\x00\x00")],
)
def test_find_keys_is_by_segment_then_key_then_end(
    scanned: SessionStore, state: TaskState, key_from: bytes | None, key_to: bytes | None, reverse: bool
) -> None:
    def expected(earliest_end: int, latest_start: int) -> list[tuple[bytes, int, int]]:
        inside = [
            (key, start, end)
            for key, start, end in SCANNED
            if (key_from or b"") <= key and (key_to is None or key <= key_to)
            if end >= earliest_end and start <= latest_start
        ]
        inside.sort(key=lambda row: SESSION_KEYS.local_key(row[0], row[2], row[1], 30), reverse=reverse)
        return inside

    def found(earliest_end: int, latest_start: int) -> list[tuple[bytes, int, int]]:
        return [
            session for session, _ in scanned.find_keys(key_from, key_to, earliest_end, latest_start, reverse=reverse)
        ]

    assert found(0, 1_000) == expected(0, 1_000)
    assert found(8, 3) == expected(8, 3)
    assert found(31, 2) == expected(31, 2)
    assert [session for session, _ in scanned.fetch_keys(key_from, key_to, reverse=reverse)] == expected(0, 1_000)
    state.commit({})
    reader = scanned.reader()
    assert [row for row, _ in reader.find_keys(key_from, key_to, 8, 3, reverse=reverse)] == expected(8, 3)


def test_reader_sees_committed_sessions_only(scanned: SessionStore, state: TaskState) -> None:
    state.commit({})
    reader = scanned.reader()
    put_all(scanned, [(b"a", 50, 60)])
    assert ranges(reader.find(b"a", 6, 30)) == [(10, 15), (10, 29), (0, 30)]
    assert ranges(reader.fetch(b"a", reverse=True)) == [(40, 70), (31, 31), (0, 30), (10, 29), (10, 15), (0, 5)]
    assert reader.get(b"a", 10, 29) == ([10, 29], 29)
    assert reader.get(b"a", 50, 60) is None
    assert {session for session, _ in reader.all()} == set(SCANNED)
    state.commit({})
    assert reader.get(b"a", 50, 60) == ([50, 60], 60)


@pytest.mark.parametrize("reverse", [False, True])
def test_scans_are_not_moved_by_writes_and_commits_of_their_own_loop(state: TaskState, reverse: bool) -> None:
    store = session_store(state)
    put_all(store, [(b"%03d" % number, number % 90, 95) for number in range(300)])
    put_all(store, [(b"a", number, number + 1) for number in range(90)])
    state.commit({})
    put_all(store, [(b"%03d" % number, number % 90, 95) for number in range(0, 300, 3)], "dirty")
    for scan in (store.all, lambda reverse: store.fetch(b"a", reverse=reverse)):
        expected = list(scan(reverse=reverse))
        seen: list[object] = []
        for session, row in scan(reverse=reverse):
            seen.append((session, row))
            key, start, end = (b"a", *session) if len(session) == 2 else session
            store.remove(key, start, end)
            put_all(store, [(b"!" + key, start, end), (b"zz" + key, start, end), (key, start, end + 1)])
            if len(seen) % 20 == 0:
                state.commit({})
        assert seen == expected


def test_find_over_many_empty_segments_finds_the_sessions(backend: Backend) -> None:
    state = backend.open([SESSIONS])
    put_all(session_store(state), [(b"a", 0, 0), (b"a", 29_000, 30_000), (b"a", 0, 10_000_000)])
    state.commit({})
    for opened in (lambda: state, lambda: backend.restart([SESSIONS])):
        store = session_store(opened())
        assert ranges(store.find(b"a", 1, 2**62)) == [(29_000, 30_000), (0, 10_000_000)]
        assert ranges(store.fetch(b"a")) == [(0, 0), (29_000, 30_000), (0, 10_000_000)]
        assert [session for session, _ in store.find_keys(b"a", b"a", 1, 0)] == [(b"a", 0, 10_000_000)]


# Retention


def test_sessions_out_of_retention_are_hidden_at_once_from_all_reads(state: TaskState) -> None:
    store = session_store(state)
    put_all(store, [(b"a", 0, 10), (b"a", 0, 11)])
    state.commit({})
    put_all(store, [(b"b", 5, 10), (b"b", 5, 11)])
    assert ranges(store.fetch(b"a")) == [(0, 10), (0, 11)]
    store.advance(110)
    assert [store.get(key, start, end) for key, start in ((b"a", 0), (b"b", 5)) for end in (10, 11)] == [
        None, ([0, 11], 11), None, ([5, 11], 11),
    ]  # fmt: skip
    assert ranges(store.fetch(b"a")) == [(0, 11)]
    assert ranges(store.find(b"b", 0, 100)) == [(5, 11)]
    assert contents(store) == {(b"a", 0, 11): [0, 11], (b"b", 5, 11): [5, 11]}
    store.advance(50)
    assert store.time == 110


def test_timelines_as_generated_code_reads_them_have_no_hidden_rows(state: TaskState) -> None:
    store = session_store(state)
    put_all(store, [(b"a", 0, 10), (b"a", 0, 11)])
    store.advance(110)
    assert [(end, start) for end, start, _ in store.timeline(b"a", 0).rows] == [(11, 0)]
    state.commit({})
    store.advance(111)
    assert store.timeline(b"a", 0).rows == []


def test_put_of_a_hidden_session_is_ignored(state: TaskState) -> None:
    store = session_store(state)
    store.advance(110)
    put_all(store, [(b"a", 0, 10)])
    store.remove(b"a", 0, 10)
    assert ranges(store.fetch(b"a")) == []
    assert list(state.pending("sessions")) == []


def test_hidden_dirty_sessions_are_not_written(backend: Backend) -> None:
    state = backend.open([SESSIONS])
    store = session_store(state)
    put_all(store, [(b"a", 0, 25), (b"a", 20, 45)])
    store.advance(125)
    assert [record.key for record in state.pending("sessions")] == [SESSION_KEYS.changelog_key(b"a", 45, 20)]
    state.commit({})
    assert list(contents(session_store(backend.restart([replace(SESSIONS, retention_ms=10_000)])))) == [(b"a", 20, 45)]


def test_following_store_hides_by_the_newest_end_put(backend: Backend) -> None:
    state = backend.open([FOLLOWING])
    store = session_store(state)
    put_all(store, [(b"a", 0, 10), (b"a", 20, 60), (b"b", 0, 111)])
    assert store.time == 111
    assert ranges(store.fetch(b"a")) == [(20, 60)]
    put_all(store, [(b"a", 150, 160), (b"a", 0, 60), (b"a", 0, 61)])
    assert ranges(store.fetch(b"a")) == [(0, 61), (150, 160)]
    store.remove(b"c", 0, 170)
    assert store.time == 170
    topic = replay(state.pending("sessions"))
    state.commit({})
    store = session_store(backend.restart([FOLLOWING]))
    assert (store.time, ranges(store.fetch(b"a"))) == (170, [(150, 160)])
    elsewhere = backend.elsewhere()
    restored = elsewhere.open([FOLLOWING])
    restored.restore("sessions", topic, 1)
    for opened in (lambda: restored, lambda: elsewhere.restart([FOLLOWING])):
        store = session_store(opened())
        assert store.time == 160, "what the changelog knows"
        assert ranges(store.fetch(b"a")) == [(150, 160)]
    elsewhere.close()


def test_expired_segments_come_as_tombstones_and_are_deleted_at_commit(backend: Backend) -> None:
    state = backend.open([SESSIONS])
    store = session_store(state)
    put_all(store, [(key, 0, end) for key in (b"a", b"b") for end in (0, 29, 30, 59, 60)])
    state.commit({})
    store.advance(150)  # hides up to 50: segment 0 has expired, 30..59 has not
    expected = [
        ChangelogRecord(SESSION_KEYS.changelog_key(key, end, 0), None, 150) for key in (b"a", b"b") for end in (0, 29)
    ]
    assert list(state.pending("sessions")) == expected
    state.commit({})
    assert list(state.pending("sessions")) == []
    remembers_more = SessionSpec("sessions", JSON, retention_ms=10_000)
    stored = list(contents(session_store(backend.restart([remembers_more]))))
    assert stored == [(key, 0, end) for end_of in ((30, 59), (60,)) for key in (b"a", b"b") for end in end_of]


def test_discard_takes_time_and_sessions_back(state: TaskState) -> None:
    store = session_store(state)
    put_all(store, [(b"a", 0, 20)])
    store.advance(50)
    state.commit({})
    row = store.get(b"a", 0, 20)
    assert row is not None
    row[0].append("changed in place")
    store.remove(b"a", 0, 20)
    put_all(store, [(b"a", 0, 300)])
    store.advance(500)
    assert contents(store) == {}
    state.discard()
    assert store.time == 50
    assert contents(store) == {(b"a", 0, 20): [0, 20]}
    assert ranges(store.fetch(b"a")) == [(0, 20)]


# Changelog and restore


def test_pending_has_kafkas_session_keys(state: TaskState) -> None:
    session_store(state).put(b"key", 20, 25, ("v", 25))
    assert list(state.pending("sessions")) == [
        ChangelogRecord(b"key" + bytes([0, 0, 0, 0, 0, 0, 0, 25, 0, 0, 0, 0, 0, 0, 0, 20]), b'"v"', 25)
    ]


@pytest.mark.parametrize("key", [b"", bytes(15), b"k" + b"\xff" * 8 + bytes(8)])
def test_restore_of_a_record_without_a_session_fails_and_names_it(state: TaskState, key: bytes) -> None:
    with pytest.raises(ChangelogRecordError, match="'sessions'"):
        state.restore("sessions", [(SESSION_KEYS.changelog_key(b"a", 0), b"1", 1), (key, b"1", 1)], 2)
    assert contents(session_store(state)) == {}


def test_dirty_bytes_grow_with_sessions_and_shrink_by_the_commit(state: TaskState) -> None:
    assert state.dirty_bytes == 0
    put_all(session_store(state), [(b"%d" % number, 0, 50) for number in range(10)])
    few = state.dirty_bytes
    put_all(session_store(state), [(b"%d" % number, 0, 50) for number in range(1_000)], "x" * 100)
    assert 0 < few < state.dirty_bytes / 50
    state.commit({})
    assert state.dirty_bytes == 0


@pytest.mark.parametrize(("retention_ms", "segment_ms"), [(-1, None), (10, 0)])
def test_session_spec_refuses_impossible_durations(retention_ms: int, segment_ms: int | None) -> None:
    with pytest.raises(ValueError, match="'s'"):
        SessionSpec("s", JSON, retention_ms=retention_ms, segment_ms=segment_ms)
