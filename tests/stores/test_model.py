"""Task states against a model of plain dicts, by random steps, restarts, discards, expiry and restore among them."""

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

from stores import RocksDbResources, TaskState
from stores.timed_keys import WINDOW_KEYS
from tests.stores.backends import COUNTS, WINDOWS, Backend, MemoryBackend, RocksDbBackend, key_values, windows
from tests.streams.examples import examples

KEYS = st.sampled_from([b"", b"\x00", b"a", b"a\x00", b"aa", b"ab", b"b", b"\xff", b"\xff\xff", "ü".encode()])
STARTS = st.sampled_from([0, 1, 29, 30, 31, 59, 60, 90, 150, 151, 300])
VALUES = st.one_of(st.none(), st.integers(0, 9), st.lists(st.integers(0, 9), max_size=2))
TIMES = st.sampled_from([0, 50, 100, 101, 130, 150, 160, 200, 259, 260, 400])

Rows = dict[bytes, tuple[Any, int]]
WindowRows = dict[tuple[bytes, int], tuple[Any, int]]


class Model(RuleBasedStateMachine):
    """`rows` and `window_rows` are what the stores must show; `committed` is the same as of the last commit; `topics`
    are the changelogs, which must always restore what is committed."""

    backend: Backend
    state: TaskState

    def make_backend(self) -> Backend:
        return MemoryBackend()

    @initialize()
    def begin(self) -> None:
        self.backend = self.make_backend()
        self.state = self.backend.open([COUNTS, WINDOWS])
        self.rows: Rows = {}
        self.window_rows: WindowRows = {}
        self.time = -1
        self.committed: tuple[Rows, WindowRows, int] = ({}, {}, -1)
        self.topics: dict[str, dict[bytes, tuple[bytes, int]]] = {"counts": {}, "windows": {}}
        self.offset = 0

    @rule(key=KEYS, value=VALUES, timestamp=st.integers(0, 5))
    def put(self, key: bytes, value: Any, timestamp: int) -> None:
        row = None if value is None else (value, timestamp)
        key_values(self.state).put(key, row)
        self.rows.pop(key, None)
        if row is not None:
            self.rows[key] = row

    @rule(key=KEYS)
    def delete(self, key: bytes) -> None:
        assert key_values(self.state).delete(key) == self.rows.pop(key, None)

    @rule(key=KEYS, start=STARTS, value=VALUES)
    def put_window(self, key: bytes, start: int, value: Any) -> None:
        row = None if value is None else (value, start)
        windows(self.state).put(key, start, row)
        if start > self.time - WINDOWS.retention_ms:
            self.window_rows.pop((key, start), None)
            if row is not None:
                self.window_rows[key, start] = row

    @rule(time=TIMES)
    def advance(self, time: int) -> None:
        windows(self.state).advance(time)
        self.time = max(self.time, time)
        hidden = self.time - WINDOWS.retention_ms
        self.window_rows = {window: row for window, row in self.window_rows.items() if window[1] > hidden}

    @rule()
    def commit(self) -> None:
        for name, topic in self.topics.items():
            for key, value, timestamp in self.state.pending(name):
                self.offset += 1
                if value is None:
                    topic.pop(key, None)
                else:
                    topic[key] = (value, timestamp)
        self.state.commit({"counts": self.offset, "windows": self.offset})
        self.committed = (dict(self.rows), dict(self.window_rows), self.time)

    @rule()
    def commit_without_changelog(self) -> None:
        self.commit()
        self.state.commit({})

    @rule()
    def discard(self) -> None:
        self.state.discard()
        self.back_to_committed()

    @rule()
    def restart(self) -> None:
        self.state = self.backend.restart([COUNTS, WINDOWS])
        self.back_to_committed()

    def back_to_committed(self) -> None:
        rows, window_rows, self.time = self.committed
        self.rows, self.window_rows = dict(rows), dict(window_rows)

    @rule(key=KEYS, start=STARTS)
    def get(self, key: bytes, start: int) -> None:
        assert key_values(self.state).get(key) == self.rows.get(key)
        assert windows(self.state).get(key, start) == self.window_rows.get((key, start))

    @rule(start=st.none() | KEYS, end=st.none() | KEYS, reverse=st.booleans())
    def range(self, start: bytes | None, end: bytes | None, reverse: bool) -> None:
        expected = [key for key in self.rows if (start is None or start <= key) and (end is None or key <= end)]
        found = list(key_values(self.state).range(start, end, reverse=reverse))
        assert found == [(key, self.rows[key]) for key in sorted(expected, reverse=reverse)]

    @rule(prefix=KEYS, reverse=st.booleans())
    def prefix(self, prefix: bytes, reverse: bool) -> None:
        found = [key for key, _ in key_values(self.state).prefix(prefix, reverse=reverse)]
        assert found == sorted((key for key in self.rows if key.startswith(prefix)), reverse=reverse)

    @rule(key=KEYS, first=STARTS, last=STARTS, reverse=st.booleans())
    def fetch(self, key: bytes, first: int, last: int, reverse: bool) -> None:
        expected = {
            start: row for (name, start), row in self.window_rows.items() if name == key and first <= start <= last
        }
        found = list(windows(self.state).fetch(key, first, last, reverse=reverse))
        assert found == sorted(expected.items(), reverse=reverse)

    @rule(first=STARTS, last=STARTS, reverse=st.booleans())
    def fetch_all(self, first: int, last: int, reverse: bool) -> None:
        expected = [window for window in self.window_rows if first <= window[1] <= last]
        expected.sort(key=lambda window: (window[1] // 30, WINDOW_KEYS.changelog_key(*window)), reverse=reverse)
        found = list(windows(self.state).fetch_all(first, last, reverse=reverse))
        assert found == [(window, self.window_rows[window]) for window in expected]

    @precondition(lambda self: self.offset > 0)
    @rule()
    def restore_elsewhere(self) -> None:
        elsewhere = self.backend.elsewhere()
        state = elsewhere.open([COUNTS, WINDOWS])
        for name, topic in self.topics.items():
            state.restore(name, [(key, value, time) for key, (value, time) in topic.items()], self.offset)
        rows, window_rows, time = self.committed
        windows(state).advance(time)
        assert dict(key_values(state).all()) == rows
        assert dict(windows(state).all()) == window_rows
        for name, topic in self.topics.items():  # leave it empty for the next time
            state.restore(name, [(key, None, 0) for key in topic], 0)
        elsewhere.close()

    @invariant()
    def readers_see_what_is_committed(self) -> None:
        if hasattr(self, "state"):
            rows, window_rows, _ = self.committed
            assert dict(key_values(self.state).reader().all()) == rows
            assert dict(windows(self.state).reader().all()) == window_rows

    def teardown(self) -> None:
        if hasattr(self, "backend"):
            self.backend.close()


def test_memory_state_agrees_with_plain_dicts() -> None:
    run_state_machine_as_test(Model, settings=settings(examples(30), stateful_step_count=40))


def test_rocksdb_state_agrees_with_plain_dicts(tmp_path: Path, resources: RocksDbResources) -> None:
    class OnDisk(Model):
        def make_backend(self) -> Backend:
            return RocksDbBackend(Path(tempfile.mkdtemp(dir=tmp_path)) / "task", resources)

    run_state_machine_as_test(
        OnDisk,
        settings=settings(
            max_examples=25,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
