"""The contract of time buffers, plain and keyed, on every backend, and both against plain lists."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from stores import (
    BufferSpec,
    ChangelogRecord,
    ChangelogRecordError,
    RocksDbResources,
    StateMismatchError,
    TaskState,
    Waiting,
)
from stores.buffer_keys import HEAD, pack_values, unpack_values
from tests.stores.backends import (
    BUFFER,
    KEYED_BUFFER,
    Backend,
    MemoryBackend,
    RocksDbBackend,
    keyed_buffer,
    replay,
    time_buffer,
)
from tests.streams.examples import examples

SPECS = [BUFFER, KEYED_BUFFER]


@pytest.fixture
def state(backend: Backend) -> TaskState:
    return backend.open(SPECS)


def test_pop_gives_what_is_due_by_time_then_key_then_arrival(state: TaskState) -> None:
    buffer = time_buffer(state)
    for time, key, value in [(20, b"b", b"1"), (10, b"b", b"2"), (20, b"a", b"3"), (20, b"b", b"4"), (21, b"", b"5")]:
        buffer.add(time, key, value)
    assert buffer.pop(9) == []
    assert buffer.earliest() == 10
    assert buffer.pop(20) == [
        Waiting(10, 0, b"b", (b"2",)),
        Waiting(20, 0, b"a", (b"3",)),
        Waiting(20, 0, b"b", (b"1", b"4")),
    ]
    assert buffer.pop(20) == []
    assert buffer.first() == Waiting(21, 0, b"", (b"5",))
    assert buffer.pop(21) == [Waiting(21, 0, b"", (b"5",))]
    assert buffer.first() is None
    assert buffer.earliest() is None


def test_lanes_fall_due_on_their_own(state: TaskState) -> None:
    buffer = time_buffer(state)
    buffer.add(10, b"a", b"right", lane=0)
    buffer.add(10, b"a", b"left", lane=1)
    buffer.add(11, b"a", b"right", lane=0)
    state.commit({})
    assert buffer.pop(10, lane=1) == [Waiting(10, 1, b"a", (b"left",))]
    assert buffer.earliest(lane=1) is None
    assert buffer.earliest(lane=0) == 10
    assert sorted([*buffer.pop(50, lane=1), *buffer.pop(50, lane=0)]) == [
        Waiting(10, 0, b"a", (b"right",)),
        Waiting(11, 0, b"a", (b"right",)),
    ]


@pytest.mark.parametrize("committed", [False, True])
def test_remove_takes_all_values_of_time_and_key(backend: Backend, committed: bool) -> None:
    state = backend.open(SPECS)
    buffer = time_buffer(state)
    for value in (b"1", b"2"):
        buffer.add(10, b"a", value)
    buffer.add(11, b"a", b"3")
    if committed:
        state.commit({})
    assert buffer.values(10, b"a") == (b"1", b"2")
    assert buffer.remove(10, b"a", lane=1) == ()
    assert buffer.remove(10, b"a") == (b"1", b"2")
    assert buffer.remove(10, b"a") == ()
    assert buffer.values(10, b"a") == ()
    assert buffer.earliest() == 11
    state.commit({})
    assert [waiting.time for waiting in time_buffer(backend.restart(SPECS)).pop(100)] == [11]


def test_what_comes_and_goes_between_commits_leaves_nothing(state: TaskState) -> None:
    time_buffer(state).add(10, b"a", b"1")
    time_buffer(state).remove(10, b"a")
    keyed_buffer(state).put(b"a", b"1", 10)
    keyed_buffer(state).pop(10)
    assert replay(state.pending("buffer")) == replay(state.pending("keyed")) == []
    assert state.dirty_bytes == 0


def test_entry_removed_and_added_again_and_removed_is_gone(backend: Backend) -> None:
    state = backend.open(SPECS)
    time_buffer(state).add(10, b"a", b"1")
    state.commit({})
    time_buffer(state).remove(10, b"a")
    time_buffer(state).add(10, b"a", b"2")
    time_buffer(state).remove(10, b"a")
    assert time_buffer(state).first() is None
    state.commit({})
    assert list(time_buffer(backend.restart(SPECS)).all()) == []


def test_totals_are_counted_anew_after_a_restore(backend: Backend) -> None:
    state = backend.open(SPECS)
    time_buffer(state).add(10, b"a", b"1")
    state.commit({})
    state = backend.restart(SPECS)
    state.restore("buffer", [(HEAD.pack(0, 11) + b"b", pack_values((b"2", b"3")), 11)], 5)
    assert time_buffer(backend.restart(SPECS)).count == 3


def test_totals_count_values_and_their_bytes_and_survive_a_restart(backend: Backend) -> None:
    state = backend.open(SPECS)
    buffer, keyed = time_buffer(state), keyed_buffer(state)
    buffer.add(10, b"aa", b"123")
    buffer.add(10, b"aa", b"4")
    buffer.add(11, b"b", b"")
    keyed.put(b"key", b"long value", 5)
    keyed.put(b"key", b"short", 9)
    assert (buffer.count, buffer.size_bytes) == (3, 9)
    assert (keyed.count, keyed.size_bytes) == (1, 8)
    state.commit({})
    buffer.pop(10)
    assert (buffer.count, buffer.size_bytes) == (1, 1)
    state.discard()
    assert (buffer.count, buffer.size_bytes) == (3, 9)
    state = backend.restart(SPECS)
    assert (time_buffer(state).count, keyed_buffer(state).size_bytes) == (3, 8)


def test_keyed_buffer_replaces_the_value_and_keeps_its_place(backend: Backend) -> None:
    state = backend.open(SPECS)
    buffer = keyed_buffer(state)
    assert buffer.put(b"a", b"1", 10) == 10
    assert buffer.put(b"b", b"1", 5) == 5
    state.commit({})
    assert buffer.put(b"a", b"2", 30) == 10
    assert buffer.put(b"b", b"2", 1) == 5
    state.commit({})
    buffer = keyed_buffer(backend.restart(SPECS))
    assert buffer.time_of(b"a") == 10
    assert buffer.get(b"a") == b"2"
    assert buffer.get(b"c") is None
    assert buffer.pop(10) == [Waiting(5, 0, b"b", (b"2",)), Waiting(10, 0, b"a", (b"2",))]
    assert buffer.get(b"a") is None
    assert buffer.put(b"a", b"3", 30) == 30


def test_key_popped_after_pending_may_wait_again(backend: Backend) -> None:
    state = backend.open(SPECS)
    buffer = keyed_buffer(state)
    buffer.put(b"a", b"1", 10)
    list(state.pending("keyed"))
    assert len(buffer.pop(10)) == 1
    buffer.put(b"a", b"2", 20)
    state.commit({})
    assert list(buffer.reader().all()) == [Waiting(10, 0, b"a", (b"1",))]
    assert list(buffer.all()) == [Waiting(20, 0, b"a", (b"2",))]
    state.commit({})
    assert keyed_buffer(backend.restart(SPECS)).pop(100) == [Waiting(20, 0, b"a", (b"2",))]


@pytest.mark.parametrize("batch", [1, 3])
def test_key_that_went_to_another_time_is_found_after_a_restore(state: TaskState, batch: int) -> None:
    """A changelog may have the tombstone of the entry a key left behind the entry it went to."""
    first, second = HEAD.pack(0, 0) + b"a", HEAD.pack(0, 1) + b"a"
    log = [(first, pack_values((b"1",)), 0), (second, pack_values((b"2",)), 0), (first, None, 0)]
    for at in range(0, len(log), batch):
        state.restore("keyed", log[at : at + batch], at + batch)
    assert keyed_buffer(state).time_of(b"a") == 1
    assert keyed_buffer(state).get(b"a") == b"2"


def test_pop_of_many_committed_and_dirty_entries_keeps_the_order(backend: Backend) -> None:
    state = backend.open(SPECS)
    buffer = time_buffer(state)
    for number in range(0, 2_000, 2):
        buffer.add(number % 700, b"%d" % number, b"")
    state.commit({})
    for number in range(1, 2_000, 2):
        buffer.add(number % 700, b"%d" % number, b"")
    popped = [*buffer.pop(300), *buffer.pop(301), *buffer.pop(1_000)]
    assert popped == sorted(Waiting(number % 700, 0, b"%d" % number, (b"",)) for number in range(2_000))
    assert buffer.count == 0
    state.commit({})
    assert time_buffer(backend.restart(SPECS)).pop(1_000) == []


def test_scan_is_not_moved_by_writes_of_its_own_loop(state: TaskState) -> None:
    buffer = time_buffer(state)
    for time in range(300):
        buffer.add(time, b"a", b"committed")
    state.commit({})
    for time in range(0, 300, 7):
        buffer.remove(time, b"a")
        buffer.add(time, b"b", b"dirty")
    expected = list(buffer.all())
    seen: list[Waiting] = []
    for waiting in buffer.all():
        seen.append(waiting)
        buffer.remove(waiting.time, waiting.key)
        buffer.add(waiting.time + 1, b"new", b"")
    assert seen == expected
    assert len(seen) == 300
    assert [waiting.time for waiting in buffer.all(reverse=True)] == list(range(300, 0, -1))


def test_changelog_has_lane_time_and_key_and_all_values(state: TaskState) -> None:
    """The record has no timestamp of its own: brokers refuse times in the future, for which entries wait."""
    buffer = time_buffer(state)
    buffer.add(7, b"key", b"one", lane=1)
    buffer.add(7, b"key", b"", lane=1)
    key = bytes([1, 0, 0, 0, 0, 0, 0, 0, 7]) + b"key"
    assert list(state.pending("buffer")) == [ChangelogRecord(key, b"\0\0\0\3one\0\0\0\0", 0)]
    state.commit({})
    buffer.pop(7, lane=1)
    assert list(state.pending("buffer")) == [ChangelogRecord(key, None, 0)]


@pytest.mark.parametrize(("key", "value"), [(b"", b""), (HEAD.pack(2, 5), b""), (HEAD.pack(0, 5), b"\0\0\0\2x")])
def test_restore_of_a_record_of_something_else_fails_and_names_it(state: TaskState, key: bytes, value: bytes) -> None:
    with pytest.raises(ChangelogRecordError, match="'buffer'"):
        state.restore("buffer", [(HEAD.pack(0, 1), pack_values((b"1",)), 1), (key, value, 1)], 2)
    assert list(time_buffer(state).all()) == []


@pytest.mark.parametrize(("time", "lane"), [(-1, 0), (2**63, 0), (1, 2), (1, -1)])
def test_add_with_an_impossible_time_or_lane_fails(state: TaskState, time: int, lane: int) -> None:
    with pytest.raises(ValueError, match=rf"'buffer': time {time}, lane {lane}"):
        time_buffer(state).add(time, b"a", b"1", lane)


def test_keyed_and_plain_buffers_are_different_stores(backend: Backend) -> None:
    backend.open([BUFFER]).commit({})
    with pytest.raises(StateMismatchError, match=r"'buffer'.*buffer.*keyed-buffer"):
        backend.restart([BufferSpec("buffer", keyed=True)])


@pytest.mark.parametrize(("lanes", "keyed"), [(0, False), (256, False), (2, True)])
def test_spec_refuses_impossible_lanes(lanes: int, keyed: bool) -> None:
    with pytest.raises(ValueError, match="'b'"):
        BufferSpec("b", lanes=lanes, keyed=keyed)


@pytest.mark.parametrize("values", [(), (b"",), (b"a", b"", b"\xff" * 300)])
def test_values_round_trip(values: tuple[bytes, ...]) -> None:
    assert unpack_values(pack_values(values)) == values


KEYS = st.sampled_from([b"", b"a", b"\xff"])
TIMES = st.integers(0, 6)
VALUES = st.binary(max_size=2)
LANES = st.integers(0, 1)

Entries = dict[tuple[int, int, bytes], list[bytes]]


class Model(RuleBasedStateMachine):
    """`entries`: (lane, time, key) -> values; `keyed`: key -> (time, value); both beside what is committed of them."""

    backend: Backend
    state: TaskState

    def make_backend(self) -> Backend:
        return MemoryBackend()

    @initialize()
    def begin(self) -> None:
        self.backend = self.make_backend()
        self.state = self.backend.open(SPECS)
        self.entries: Entries = {}
        self.keyed: dict[bytes, tuple[int, bytes]] = {}
        self.logs: dict[str, list[tuple[bytes, bytes | None, int]]] = {"buffer": [], "keyed": []}
        self.committed = self.copy()

    def copy(self) -> tuple[Entries, dict[bytes, tuple[int, bytes]]]:
        return {entry: list(values) for entry, values in self.entries.items()}, dict(self.keyed)

    @rule(time=TIMES, key=KEYS, value=VALUES, lane=LANES)
    def add(self, time: int, key: bytes, value: bytes, lane: int) -> None:
        time_buffer(self.state).add(time, key, value, lane)
        self.entries.setdefault((lane, time, key), []).append(value)

    @rule(time=TIMES, key=KEYS, lane=LANES)
    def remove(self, time: int, key: bytes, lane: int) -> None:
        removed = time_buffer(self.state).remove(time, key, lane)
        assert removed == tuple(self.entries.pop((lane, time, key), ()))

    @rule(time=TIMES, key=KEYS, value=VALUES)
    def put(self, time: int, key: bytes, value: bytes) -> None:
        place = self.keyed.get(key, (time, b""))[0]
        assert keyed_buffer(self.state).put(key, value, time) == place
        self.keyed[key] = place, value

    @rule(through=TIMES, lane=LANES)
    def pop(self, through: int, lane: int) -> None:
        due = sorted(entry for entry in self.entries if entry[0] == lane and entry[1] <= through)
        expected = [Waiting(time, lane, key, tuple(self.entries.pop((lane, time, key)))) for _, time, key in due]
        assert time_buffer(self.state).pop(through, lane) == expected

    @rule(through=TIMES)
    def pop_keyed(self, through: int) -> None:
        due = sorted((time, key) for key, (time, _) in self.keyed.items() if time <= through)
        expected = [Waiting(time, 0, key, (self.keyed.pop(key)[1],)) for time, key in due]
        assert keyed_buffer(self.state).pop(through) == expected

    @rule(key=KEYS, time=TIMES, lane=LANES)
    def look(self, key: bytes, time: int, lane: int) -> None:
        assert time_buffer(self.state).values(time, key, lane) == tuple(self.entries.get((lane, time, key), ()))
        time_and_value = self.keyed.get(key, (None, None))
        assert (keyed_buffer(self.state).time_of(key), keyed_buffer(self.state).get(key)) == time_and_value

    def publish(self) -> None:
        for name, log in self.logs.items():
            log += replay(self.state.pending(name))

    @rule()
    def commit(self) -> None:
        self.publish()
        self.state.commit({})
        self.committed = self.copy()

    @rule(time=TIMES, key=KEYS, value=VALUES, through=TIMES)
    def commit_with_writes_after_pending(self, time: int, key: bytes, value: bytes, through: int) -> None:
        self.publish()
        committed = self.copy()
        self.pop(through, 0)
        self.pop_keyed(through)
        self.add(time, key, value, 0)
        self.put(time, key, value)
        self.state.commit({})
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
        self.entries, self.keyed = self.committed
        self.committed = self.copy()

    @rule(batch=st.integers(1, 10), compacted=st.booleans())
    def restore_elsewhere(self, batch: int, compacted: bool) -> None:
        elsewhere = self.backend.elsewhere()
        if isinstance(elsewhere, RocksDbBackend):
            elsewhere.path = Path(tempfile.mkdtemp(dir=elsewhere.path.parent))
        state = elsewhere.open(SPECS)
        for name, log in self.logs.items():
            last = {record[0]: number for number, record in enumerate(log)}
            kept = [record for number, record in enumerate(log) if not compacted or last[record[0]] == number]
            for first in range(0, len(kept), batch):
                state.restore(name, kept[max(0, first - 2) : first + batch], first + batch)
        entries, keyed = self.committed
        self.check(state, entries, keyed)
        self.check(elsewhere.restart(SPECS), entries, keyed)
        elsewhere.close()

    def check(self, state: TaskState, entries: Entries, keyed: dict[bytes, tuple[int, bytes]]) -> None:
        buffer, by_key = time_buffer(state), keyed_buffer(state)
        assert {(lane, time, key): list(values) for time, lane, key, values in buffer.all()} == entries
        assert {key: (time, values[0]) for time, _, key, values in by_key.all()} == keyed
        assert buffer.count == sum(map(len, entries.values()))
        sizes = [len(value) + len(key) for (_, _, key), values in entries.items() for value in values]
        assert buffer.size_bytes == sum(sizes)
        assert by_key.count == len(keyed)
        assert by_key.size_bytes == sum(len(key) + len(value) for key, (_, value) in keyed.items())
        for lane in (0, 1):
            assert buffer.earliest(lane) == min((time for each, time, _ in entries if each == lane), default=None)
        assert by_key.earliest() == min((time for time, _ in keyed.values()), default=None)
        for key in (b"", b"a", b"\xff"):
            assert by_key.time_of(key) == keyed.get(key, (None,))[0]

    @invariant()
    def committed_entries_are_there(self) -> None:
        if hasattr(self, "state"):
            entries, keyed = self.committed
            reader = time_buffer(self.state).reader()
            assert {(lane, time, key): list(values) for time, lane, key, values in reader.all()} == entries
            assert {key: time for time, _, key, _ in keyed_buffer(self.state).reader().all()} == {
                key: time for key, (time, _) in keyed.items()
            }

    @rule()
    def everything(self) -> None:
        self.check(self.state, self.entries, self.keyed)

    def teardown(self) -> None:
        if hasattr(self, "backend"):
            self.backend.close()


def test_time_buffers_in_memory_agree_with_plain_lists() -> None:
    run_state_machine_as_test(Model, settings=settings(examples(40), stateful_step_count=40))


def test_time_buffers_on_rocksdb_agree_with_plain_lists(tmp_path: Path) -> None:
    resources = RocksDbResources(clean_bytes=0)  # nothing is remembered, all that is clean is read anew

    class OnDisk(Model):
        def make_backend(self) -> Backend:
            return RocksDbBackend(Path(tempfile.mkdtemp(dir=tmp_path)) / "task", resources)

    run_state_machine_as_test(
        OnDisk,
        settings=settings(
            max_examples=15, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
        ),
    )
