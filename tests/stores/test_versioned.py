"""The contract of versioned stores, on every backend, and the store against a dict of all that was put."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from msgspec.structs import replace

from stores import REJECTED, ChangelogRecord, RocksDbResources, RowEncodeError, TaskState, Version, VersionedSpec
from tests.stores.backends import JSON, VERSIONS, Backend, MemoryBackend, RocksDbBackend, replay, versioned
from tests.streams.examples import examples


@pytest.fixture
def state(backend: Backend) -> TaskState:
    return backend.open([VERSIONS])


def test_put_tells_when_the_version_ends(state: TaskState) -> None:
    store = versioned(state)
    assert store.put(b"a", "x", 10) == -1
    assert store.put(b"a", "z", 30) == -1
    assert store.put(b"a", "y", 20) == 30
    assert store.put(b"a", "w", 20) == 30
    assert store.put(b"a", "v", 30) == -1
    assert [store.as_of(b"a", time) for time in (9, 10, 19, 20, 29, 30, 99)] == [
        None, ("x", 10), ("x", 10), ("w", 20), ("w", 20), ("v", 30), ("v", 30),
    ]  # fmt: skip
    assert store.get(b"a") == ("v", 30)
    assert store.get(b"b") is None


def test_deletion_is_a_version_that_later_puts_see(state: TaskState) -> None:
    store = versioned(state)
    store.put(b"a", "x", 10)
    assert store.delete(b"a", 20) == ("x", 10)
    assert store.get(b"a") is None
    assert store.as_of(b"a", 19) == ("x", 10)
    assert store.put(b"a", "y", 15) == 20
    assert store.delete(b"a", 17) == ("y", 15)
    assert store.as_of(b"a", 18) is None
    assert store.put(b"a", "z", 18) == 20
    assert store.put(b"a", "u", 20) == -1
    assert store.get(b"a") == ("u", 20)
    assert store.delete(b"b", 5) is None
    assert store.put(b"b", "x", 3) == 5


def test_put_beyond_the_history_is_rejected(state: TaskState) -> None:
    store = versioned(state)
    store.put(b"a", "x", 150)
    assert store.put(b"b", "y", 49) == REJECTED == -9223372036854775808
    assert store.delete(b"b", 49) is None
    assert store.put(b"b", "y", 50) == -1
    assert store.get(b"b") == ("y", 50)


def test_old_versions_are_forgotten_with_the_history_and_the_latest_stays(backend: Backend) -> None:
    state = backend.open([VERSIONS])
    store = versioned(state)
    for time in (0, 10, 40, 70):
        store.put(b"a", time, time)
    state.commit({})
    store.put(b"other", "clock", 140)
    assert store.as_of(b"a", 39) is None
    assert store.as_of(b"a", 40) == (40, 40)
    assert list(state.pending("versions")) == [ChangelogRecord(b"other", b'"clock"', 140)]
    state.commit({})
    store.put(b"other", "clock", 1_000)
    assert store.as_of(b"a", 69) is None
    assert store.as_of(b"a", 70) == (70, 70)
    state.commit({})
    longer = replace(VERSIONS, history_ms=10_000)
    assert list(versioned(backend.restart([longer])).versions(b"a", 0, 10_000)) == [Version(70, 70, -1)]


def test_told_clock_rejects_only_what_the_operator_has_passed(backend: Backend) -> None:
    store = versioned(backend.open([replace(VERSIONS, follows_puts=False)]))
    store.put(b"a", "x", 1_000)
    assert store.put(b"a", "old", 0) == 1_000
    store.advance(150)
    assert store.put(b"a", "older", 49) == REJECTED
    assert store.as_of(b"a", 50) == ("old", 0)


@pytest.mark.parametrize("committed", [False, True])
def test_versions_and_all_give_committed_and_dirty_ones(state: TaskState, committed: bool) -> None:
    store = versioned(state)
    for key in (b"b", b"a", b"a\x00"):
        for time in (40, 10, 20):
            store.put(key, None if time == 20 else time, time)
    store.put(b"gone", 1, 1)
    store.put(b"gone", None, 2)
    if committed:
        state.commit({})
    store.put(b"b", 50, 50)
    found = [Version(10, 10, 20), Version(40, 40, 50), Version(50, 50, -1)]
    assert list(store.versions(b"b", 0, 100)) == found
    assert list(store.versions(b"b", 0, 100, reverse=True)) == found[::-1]
    assert list(store.versions(b"b", 19, 40)) == found[:2]
    assert list(store.versions(b"b", 20, 39)) == []
    assert list(store.versions(b"b", 50, 2**63)) == found[2:]
    assert list(store.all()) == [(b"a", (40, 40)), (b"a\x00", (40, 40)), (b"b", (50, 50))]
    state.commit({})
    reader = store.reader()
    assert list(reader.all(reverse=True)) == [(b"b", (50, 50)), (b"a\x00", (40, 40)), (b"a", (40, 40))]
    assert list(reader.versions(b"b", 19, 50)) == found
    assert [reader.as_of(b"b", time) for time in (9, 15, 20, 45, 50)] == [None, (10, 10), None, (40, 40), (50, 50)]
    assert reader.get(b"gone") is None
    assert reader.as_of(b"gone", 1) == (1, 1)


def test_reader_sees_no_uncommitted_version(state: TaskState) -> None:
    store = versioned(state)
    store.put(b"a", 1, 10)
    state.commit({})
    store.put(b"a", 2, 20)
    store.put(b"a", 0, 5)
    assert store.reader().as_of(b"a", 50) == (1, 10)
    assert store.reader().as_of(b"a", 5) is None


def test_changelog_is_what_was_put_with_the_latest_version_last(state: TaskState) -> None:
    store = versioned(state)
    store.put(b"a", 3, 30)
    store.put(b"b", 1, 10)
    store.put(b"a", 1, 10)
    store.put(b"a", None, 20)
    assert replay(state.pending("versions")) == [
        (b"a", b"1", 10), (b"a", None, 20), (b"a", b"3", 30), (b"b", b"1", 10),
    ]  # fmt: skip
    state.commit({})
    store.put(b"a", 2, 25)
    assert replay(state.pending("versions")) == [(b"a", b"2", 25), (b"a", b"3", 30)]
    state.commit({})
    assert replay(state.pending("versions")) == []


def test_put_that_does_not_encode_fails_and_names_the_key(state: TaskState) -> None:
    versioned(state).put(b"a", object(), 10)
    with pytest.raises(RowEncodeError, match=r"'versions', key b'a'"):
        state.pending("versions")


@pytest.mark.parametrize("timestamp", [-1, 2**63 - 1])
def test_put_with_an_impossible_timestamp_fails(state: TaskState, timestamp: int) -> None:
    with pytest.raises(ValueError, match=rf"'versions'.*{timestamp}"):
        versioned(state).put(b"a", 1, timestamp)


def test_spec_refuses_a_negative_history() -> None:
    with pytest.raises(ValueError, match=r"'v'.*history_ms is -1"):
        VersionedSpec("v", JSON, history_ms=-1)


KEYS = st.sampled_from([b"", b"a", b"a\x00", b"b"])
TIMES = st.integers(0, 60).map(lambda step: step * 5)
VALUES = st.none() | st.integers(0, 9)


class Model(RuleBasedStateMachine):
    """`puts` is all that was accepted, by key and time; `log` is the changelog up to the last commit."""

    backend: Backend
    state: TaskState

    def make_backend(self) -> Backend:
        return MemoryBackend()

    @initialize()
    def begin(self) -> None:
        self.backend = self.make_backend()
        self.state = self.backend.open([VERSIONS])
        self.puts: dict[bytes, dict[int, Any]] = {}
        self.time = -1
        self.log: list[tuple[bytes, bytes | None, int]] = []
        self.committed: tuple[dict[bytes, dict[int, Any]], int] = ({}, -1)

    def keep(self) -> None:
        self.committed = {key: dict(puts) for key, puts in self.puts.items()}, self.time

    @rule(key=KEYS, value=VALUES, time=TIMES)
    def put(self, key: bytes, value: Any, time: int) -> None:
        ended = versioned(self.state).put(key, value, time)
        if time < self.time - VERSIONS.history_ms:
            assert ended == REJECTED
            return
        self.time = max(self.time, time)
        versions = self.puts.setdefault(key, {})
        versions[time] = value
        assert ended == min((each for each in versions if each > time), default=-1)

    @rule(key=KEYS, time=TIMES)
    def delete(self, key: bytes, time: int) -> None:
        rejected = time < self.time - VERSIONS.history_ms
        expected = None if rejected else self.valid(self.puts, self.time, key, time)
        assert versioned(self.state).delete(key, time) == expected
        if not rejected:
            self.time = max(self.time, time)
            self.puts.setdefault(key, {})[time] = None

    @staticmethod
    def valid(puts: dict[bytes, dict[int, Any]], clock: int, key: bytes, time: int) -> tuple[Any, int] | None:
        versions = puts.get(key, {})
        begun = max((each for each in versions if each <= time), default=None)
        if begun is None or versions[begun] is None:
            return None
        if time < clock - VERSIONS.history_ms and begun != max(versions):
            return None
        return versions[begun], begun

    @rule(key=KEYS, time=TIMES)
    def as_of(self, key: bytes, time: int) -> None:
        assert versioned(self.state).as_of(key, time) == self.valid(self.puts, self.time, key, time)
        assert versioned(self.state).reader().as_of(key, time) == self.valid(*self.committed, key, time)

    @rule(key=KEYS, first=TIMES, last=TIMES, reverse=st.booleans())
    def versions(self, key: bytes, first: int, last: int, reverse: bool) -> None:
        times = sorted(self.puts.get(key, {}))
        expected: list[Version] = []
        for begun, end in zip(times, [*times[1:], -1]):
            after_first = end == -1 or end > max(first, self.time - VERSIONS.history_ms)
            if self.puts[key][begun] is not None and begun <= last and after_first:
                expected.append(Version(self.puts[key][begun], begun, end))
        found = list(versioned(self.state).versions(key, first, last, reverse=reverse))
        assert found == expected[:: -1 if reverse else 1]

    @rule()
    def commit(self) -> None:
        self.log += replay(self.state.pending("versions"))
        self.state.commit({})
        self.keep()

    @rule(key=KEYS, value=VALUES, time=TIMES)
    def commit_with_a_put_after_pending(self, key: bytes, value: Any, time: int) -> None:
        self.log += replay(self.state.pending("versions"))
        committed = {each: dict(puts) for each, puts in self.puts.items()}, self.time
        self.put(key, value, time)
        self.state.commit({})
        self.committed = committed

    @rule()
    def discard(self) -> None:
        self.state.discard()
        self.back_to_committed()

    @rule()
    def crash(self) -> None:
        self.state = self.backend.restart([VERSIONS])
        self.back_to_committed()

    def back_to_committed(self) -> None:
        puts, self.time = self.committed
        self.puts = {key: dict(versions) for key, versions in puts.items()}

    @rule(batch=st.integers(1, 20), again=st.integers(0, 5))
    def restore_elsewhere(self, batch: int, again: int) -> None:
        puts, clock = self.committed
        elsewhere = self.restored(self.log, batch, again)
        store = versioned(elsewhere.restart([VERSIONS]))
        assert store.time == clock
        for key in puts:
            for time in range(0, 305, 5):
                assert store.as_of(key, time) == self.valid(puts, clock, key, time)
        elsewhere.close()

    @rule()
    def restore_compacted(self) -> None:
        """Whatever compaction takes, the latest version of each key is there."""
        puts, _ = self.committed
        last = {record[0]: record for record in self.log}
        elsewhere = self.restored(list(last.values()), 3, 0)
        store = versioned(elsewhere.restart([VERSIONS]))
        for key in puts:
            assert store.get(key) == self.valid(puts, 0, key, 10_000)
        elsewhere.close()

    def restored(self, log: list[tuple[bytes, bytes | None, int]], batch: int, again: int) -> Backend:
        elsewhere = self.backend.elsewhere()
        if isinstance(elsewhere, RocksDbBackend):
            elsewhere.path = Path(tempfile.mkdtemp(dir=elsewhere.path.parent))
        state = elsewhere.open([VERSIONS])
        for first in range(0, len(log), batch):
            state.restore("versions", log[max(0, first - again) : first + batch], first + batch)
        return elsewhere

    @invariant()
    def latest_versions_are_there(self) -> None:
        if hasattr(self, "state"):
            store = versioned(self.state)
            for key, versions in self.puts.items():
                assert store.get(key) == self.valid(self.puts, 0, key, max(versions))
            for rows, (puts, _) in ((store.all(), (self.puts, 0)), (store.reader().all(), self.committed)):
                latest = {key: self.valid(puts, 0, key, max(versions)) for key, versions in puts.items()}
                assert list(rows) == sorted((key, row) for key, row in latest.items() if row is not None)

    def teardown(self) -> None:
        if hasattr(self, "backend"):
            self.backend.close()


def test_versioned_store_in_memory_agrees_with_plain_dicts() -> None:
    run_state_machine_as_test(Model, settings=settings(examples(40), stateful_step_count=40))


def test_versioned_store_on_rocksdb_agrees_with_plain_dicts(tmp_path: Path) -> None:
    resources = RocksDbResources(clean_bytes=0)  # nothing is remembered, all that is clean is read anew

    class OnDisk(Model):
        def make_backend(self) -> Backend:
            return RocksDbBackend(Path(tempfile.mkdtemp(dir=tmp_path)) / "task", resources)

    run_state_machine_as_test(
        OnDisk,
        settings=settings(
            max_examples=8, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
        ),
    )
