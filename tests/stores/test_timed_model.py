"""Stores whose rows have a time against plain dicts, by random steps: commits, crashes, discards, expiry and restore.

One machine drives a session store, and the three forms of the window store: by start, by key, and with duplicates.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from msgspec.structs import replace

from stores import KeyedWindowStore, KeyValueStore, RocksDbResources, Row, TaskState, WindowReader, WindowStore
from stores.timed_keys import LARGEST_TIME, SESSION_KEYS, WINDOW_KEYS
from tests.stores.backends import SESSIONS, WINDOWS, Backend, MemoryBackend, RocksDbBackend, session_store
from tests.streams.examples import examples

SPECS = [
    replace(WINDOWS, name="by start", follows_puts=True),
    replace(WINDOWS, name="by key", access="key", follows_puts=True),
    replace(WINDOWS, name="duplicates", duplicates=True, follows_puts=True),
    replace(SESSIONS, follows_puts=True),
]
NAMES = [spec.name for spec in SPECS]
RETENTION, SEGMENT = 100, 30

KEYS = st.sampled_from([b"", b"\x00", b"a", b"a\x00", b"a" + bytes(6), b"aa", b"b", b"\xff", b"\xff\xff"])
BOUNDS = st.none() | KEYS
TIMES = st.integers(0, 40).map(lambda step: step * 7)
VALUES = st.one_of(st.none(), st.integers(0, 9))

Timed = tuple[bytes, int, int]
"""(key, time, rank), the rank of a session being its start."""


class Model(RuleBasedStateMachine):
    """`rows` is what each store must show and `time` its clock; `committed` is both as of the last commit; `topics` are
    the changelogs, compacted, with the newest time they ever carried."""

    backend: Backend
    state: TaskState

    def make_backend(self) -> Backend:
        return MemoryBackend()

    @initialize()
    def begin(self) -> None:
        self.backend = self.make_backend()
        self.state = self.backend.open(SPECS)
        self.rows: dict[str, dict[Timed, Row]] = {name: {} for name in NAMES}
        self.time = dict.fromkeys(NAMES, -1)
        self.topics: dict[str, dict[bytes, tuple[bytes, int]]] = {name: {} for name in NAMES}
        self.newest = dict.fromkeys(NAMES, -1)
        self.offset = 0
        self.keep()

    def keep(self) -> None:
        self.committed = {name: dict(rows) for name, rows in self.rows.items()}, dict(self.time)

    def window(self, name: str) -> WindowStore | KeyedWindowStore:
        store = self.state.store(name)
        assert isinstance(store, WindowStore | KeyedWindowStore)
        return store

    # Writes

    @rule(key=KEYS, start=TIMES, value=VALUES)
    def put_window(self, key: bytes, start: int, value: int | None) -> None:
        row = None if value is None else (value, start)
        for name in NAMES[:3]:
            self.window(name).put(key, start, row)
            if name != "duplicates":
                self.put(name, (key, start, 0), row)
            elif row is not None:
                rank = sum(1 for other, time, _ in self.rows[name] if (other, time) == (key, start))
                self.put(name, (key, start, rank), row)

    @rule(key=KEYS, start=TIMES, end=TIMES, value=VALUES)
    def put_session(self, key: bytes, start: int, end: int, value: int | None) -> None:
        start, end = min(start, end), max(start, end)
        row = None if value is None else (value, end)
        session_store(self.state).put(key, start, end, row)
        self.put("sessions", (key, end, start), row)

    @precondition(lambda self: self.rows["sessions"])
    @rule(which=st.integers(0, 100), grown=st.integers(0, 20))
    def grow_session(self, which: int, grown: int) -> None:
        """What a session aggregation does."""
        key, end, start = sorted(self.rows["sessions"])[which % len(self.rows["sessions"])]
        store = session_store(self.state)
        row = store.get(key, start, end)
        assert row == self.rows["sessions"][key, end, start]
        store.remove(key, start, end)
        store.put(key, start, end + grown, row)
        self.put("sessions", (key, end, start), None)
        self.put("sessions", (key, end + grown, start), row)

    def put(self, name: str, timed: Timed, row: Row | None) -> None:
        self.advance_model(name, timed[1])
        if timed[1] > self.time[name] - RETENTION:
            self.rows[name].pop(timed, None)
            if row is not None:
                self.rows[name][timed] = row

    @rule(time=TIMES)
    def advance(self, time: int) -> None:
        for name in NAMES:
            store = self.state.store(name)
            assert not isinstance(store, KeyValueStore)
            store.advance(time)
            self.advance_model(name, time)

    def advance_model(self, name: str, time: int) -> None:
        self.time[name] = max(self.time[name], time)
        hidden = self.time[name] - RETENTION
        self.rows[name] = {timed: row for timed, row in self.rows[name].items() if timed[1] > hidden}

    @rule(budget=st.sampled_from([0, 1_000, 5_000, 1_000_000]))
    def remember(self, budget: int) -> None:
        """How much may be remembered of what is committed changes nothing but the work."""
        for name in NAMES:
            self.state.store(name).clean.set_budget(budget)

    # Commits

    def publish(self) -> None:
        for name, topic in self.topics.items():
            keys = SESSION_KEYS if name == "sessions" else WINDOW_KEYS
            for key, value, timestamp in self.state.pending(name):
                self.offset += 1
                self.newest[name] = max(self.newest[name], keys.time_of(key))
                if value is None:
                    topic.pop(key, None)
                else:
                    topic[key] = (value, timestamp)

    @rule()
    def commit(self) -> None:
        self.publish()
        self.state.commit(dict.fromkeys(NAMES, self.offset))
        self.keep()

    @rule(key=KEYS, start=TIMES, end=TIMES, value=VALUES)
    def commit_with_writes_after_pending(self, key: bytes, start: int, end: int, value: int | None) -> None:
        self.publish()
        committed = {name: dict(rows) for name, rows in self.rows.items()}, dict(self.time)
        self.put_window(key, start, value)
        self.put_session(key, start, end, value)
        if self.rows["sessions"]:
            self.grow_session(0, 3)
        self.state.commit(dict.fromkeys(NAMES, self.offset))
        self.committed = committed

    @rule()
    def discard(self) -> None:
        self.state.discard()
        self.back_to_committed()

    @rule()
    def crash(self) -> None:
        self.state = self.backend.restart(SPECS)
        self.back_to_committed()

    def back_to_committed(self) -> None:
        rows, time = self.committed
        self.rows, self.time = {name: dict(each) for name, each in rows.items()}, dict(time)

    @rule()
    def restore_elsewhere(self) -> None:
        """The changelog gives what is committed, once the store knows the time again."""
        elsewhere = self.backend.elsewhere()
        if isinstance(elsewhere, RocksDbBackend):
            elsewhere.path = Path(tempfile.mkdtemp(dir=elsewhere.path.parent))
        state = elsewhere.open(SPECS)
        for name, topic in self.topics.items():
            records = [(key, value, time) for key, (value, time) in topic.items()]
            state.restore(name, records[: len(records) // 2], 1)
            state.restore(name, records[len(records) // 3 :], 2)
            store = state.store(name)
            assert not isinstance(store, KeyValueStore)
            assert store.time <= self.newest[name]
            store.advance(self.committed[1][name])
        assert {name: self.contents(state, name) for name in NAMES} == self.committed[0]
        elsewhere.close()

    # Reads

    def expected(self, name: str, reverse: bool = False, **bounds: Any) -> list[tuple[Timed, Row]]:
        """Rows in the order of scans, within bounds."""
        key_from, key_to = bounds.get("key_from") or b"", bounds.get("key_to")
        inside = [
            (timed, row)
            for timed, row in self.rows[name].items()
            if key_from <= timed[0] and (key_to is None or timed[0] <= key_to)
            if bounds.get("first", 0) <= timed[1] <= bounds.get("last", LARGEST_TIME)
            if name != "sessions" or timed[2] <= bounds.get("latest_start", LARGEST_TIME)
        ]
        keys = SESSION_KEYS if name == "sessions" else WINDOW_KEYS
        inside.sort(key=lambda item: keys.local_key(*item[0], SEGMENT), reverse=reverse)
        return inside

    def contents(self, state: TaskState, name: str, *, committed: bool = False) -> dict[Timed, Row]:
        store = state.store(name).reader() if committed else state.store(name)
        rows: dict[Timed, Row] = {}
        for where, row in store.all():
            assert isinstance(where, tuple)
            if len(where) == 3:
                key, start, end = where
                rows[key, end, start] = row
            else:
                key, start = where
                rank = 0
                while (key, start, rank) in rows:
                    rank += 1
                rows[key, start, rank] = row
        return rows

    @rule(key=KEYS, first=TIMES, last=TIMES, reverse=st.booleans())
    def fetch_windows(self, key: bytes, first: int, last: int, reverse: bool) -> None:
        for name in NAMES[:3]:
            rows = self.expected(name, reverse, key_from=key, key_to=key, first=first, last=last)
            found = list(self.window(name).fetch(key, first, last, reverse=reverse))
            assert found == [(start, row) for (_, start, _), row in rows]
            expected = None if name == "duplicates" else self.rows[name].get((key, first, 0))
            assert self.window(name).get(key, first) == expected

    @rule(key_from=BOUNDS, key_to=BOUNDS, first=TIMES, last=TIMES, reverse=st.booleans())
    def fetch_windows_of_keys(
        self, key_from: bytes | None, key_to: bytes | None, first: int, last: int, reverse: bool
    ) -> None:
        for name in NAMES[:3]:
            rows = self.expected(name, reverse, key_from=key_from, key_to=key_to, first=first, last=last)
            found = list(self.window(name).fetch_keys(key_from, key_to, first, last, reverse=reverse))
            assert found == [((key, start), row) for (key, start, _), row in rows]

    @rule(key=KEYS, earliest_end=TIMES, latest_start=TIMES, reverse=st.booleans())
    def find_sessions(self, key: bytes, earliest_end: int, latest_start: int, reverse: bool) -> None:
        rows = self.expected(
            "sessions", reverse, key_from=key, key_to=key, first=earliest_end, latest_start=latest_start
        )
        store = session_store(self.state)
        found = list(store.find(key, earliest_end, latest_start, reverse=reverse))
        assert found == [((start, end), row) for (_, end, start), row in rows]
        assert store.get(key, latest_start, earliest_end) == self.rows["sessions"].get(
            (key, earliest_end, latest_start)
        )

    @rule(key_from=BOUNDS, key_to=BOUNDS, earliest_end=TIMES, latest_start=TIMES, reverse=st.booleans())
    def find_sessions_of_keys(
        self, key_from: bytes | None, key_to: bytes | None, earliest_end: int, latest_start: int, reverse: bool
    ) -> None:
        rows = self.expected(
            "sessions", reverse, key_from=key_from, key_to=key_to, first=earliest_end, latest_start=latest_start
        )
        store = session_store(self.state)
        found = list(store.find_keys(key_from, key_to, earliest_end, latest_start, reverse=reverse))
        assert found == [((key, start, end), row) for (key, end, start), row in rows]

    @invariant()
    def all_rows_are_there(self) -> None:
        if hasattr(self, "state"):
            assert {name: self.contents(self.state, name) for name in NAMES} == self.rows
            assert {name: self.contents(self.state, name, committed=True) for name in NAMES} == self.committed[0]

    @invariant()
    def readers_and_stores_fetch_alike(self) -> None:
        if hasattr(self, "state"):
            for name in NAMES[:3]:
                reader = self.window(name).reader()
                assert isinstance(reader, WindowReader)
                rows = [timed for timed in self.committed[0][name] if timed[0] == b"a"]
                assert [start for start, _ in reader.fetch(b"a", 0, 1_000)] == sorted(time for _, time, _ in rows)

    def teardown(self) -> None:
        if hasattr(self, "backend"):
            self.backend.close()


def test_timed_stores_in_memory_agree_with_plain_dicts() -> None:
    run_state_machine_as_test(Model, settings=settings(examples(30), stateful_step_count=40))


def test_timed_stores_on_rocksdb_agree_with_plain_dicts(tmp_path: Path) -> None:
    resources = RocksDbResources(clean_bytes=0)  # nothing is remembered, all that is clean is read anew

    class OnDisk(Model):
        def make_backend(self) -> Backend:
            return RocksDbBackend(Path(tempfile.mkdtemp(dir=tmp_path)) / "task", resources)

    run_state_machine_as_test(
        OnDisk,
        settings=settings(examples(15), stateful_step_count=30, suppress_health_check=[HealthCheck.too_slow]),
    )
