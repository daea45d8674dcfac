"""Memtables of many databases: who writes out what it has, and when."""

from __future__ import annotations

import json
from pathlib import Path

from stores import RocksDbResources, RocksDbTaskState
from stores.rocksdb.write_buffers import BLOOM_BYTES, BLOOMS, STORE_BYTES, WriteBuffers
from tests.stores.backends import COUNTS, NAMES, fill, key_values

MIB = 2**20
SPECS = [COUNTS, NAMES]


def written_out(state: RocksDbTaskState) -> bool:
    """Whether no row is in the memtables that take new ones."""
    return all(state.figures(spec.name)["num-entries-active-mem-table"] == 0 for spec in SPECS)


def commit(state: RocksDbTaskState, row_bytes: int, key: bytes = b"a") -> None:
    fill(key_values(state, "names"), {key: "x" * row_bytes})
    state.commit({"names": 1})


def test_memory_that_runs_short_is_freed_by_the_state_that_holds_most_though_it_is_quiet(tmp_path: Path) -> None:
    resources = RocksDbResources(write_buffer_bytes=2 * MIB)
    quiet = RocksDbTaskState.open(tmp_path / "quiet", SPECS, resources)
    busy = [RocksDbTaskState.open(tmp_path / str(number), SPECS, resources) for number in range(4)]
    commit(quiet, 1 * MIB)
    for number in range(200):
        for state in busy:
            commit(state, 1_000, b"%d" % number)
        if written_out(quiet):
            break
    assert written_out(quiet)
    assert not any(written_out(state) for state in busy)
    for state in (quiet, *busy):
        state.close()


def test_state_that_is_closed_has_its_stores_flushed_together(tmp_path: Path) -> None:
    """Else, were the machine lost meanwhile, a store could lack rows that its recorded position says it has."""
    state = RocksDbTaskState.open(tmp_path / "0_0", SPECS, RocksDbResources())
    commit(state, 100)
    state.close()
    lines = (tmp_path / "0_0" / "LOG").read_text().splitlines()
    told = [json.loads(line.partition("EVENT_LOG_v1 ")[2]) for line in lines if "EVENT_LOG_v1" in line]
    flushes = [each["job"] for each in told if each["event"] == "flush_started"]
    assert len(flushes) == 2, "the store's rows, and the task's own"
    assert len(set(flushes)) == 1


def test_commits_of_many_states_make_no_files(tmp_path: Path) -> None:
    resources = RocksDbResources(write_buffer_bytes=1 * MIB)
    states = [RocksDbTaskState.open(tmp_path / str(number), SPECS, resources) for number in range(30)]
    for number in range(20):
        for state in states:
            commit(state, 100, b"%d" % number)
    assert not list(tmp_path.rglob("*.sst"))
    for state in states:
        state.close()


class Held:
    """A database that says how much it holds, and notes that it was told to write that out."""

    def __init__(self, held_bytes: int, told: list[int]) -> None:
        self.held_bytes = held_bytes
        self.told = told

    def memtable_bytes(self) -> int:
        return self.held_bytes

    def write_out(self) -> None:
        self.told.append(self.held_bytes)


def test_budget_grows_with_the_stores_and_falls_when_they_are_closed() -> None:
    buffers = WriteBuffers(1 * MIB)
    first, second = Held(0, []), Held(0, [])
    buffers.join(first, 4)
    assert buffers.budget_bytes == 1 * MIB
    buffers.join(second, 16)
    assert buffers.budget_bytes == buffers.manager.get_buffer_size() == 20 * STORE_BYTES
    buffers.leave(second)
    buffers.leave(second)
    assert buffers.budget_bytes == 1 * MIB


def test_blooms_of_many_stores_share_a_part_of_the_budget() -> None:
    buffers = WriteBuffers(64 * MIB)
    total = 0
    for _ in range(1_000):
        total += 3 * buffers.bloom_bytes(3)
        buffers.join(Held(0, []), 3)
    assert buffers.bloom_bytes(1) < BLOOM_BYTES / 50
    assert total < 6 * 64 * MIB * BLOOMS
    assert WriteBuffers(64 * MIB).bloom_bytes(8) == BLOOM_BYTES


def test_as_few_databases_as_will_do_are_written_out_once_until_it_has_helped() -> None:
    told: list[int] = []
    buffers = WriteBuffers(1 * MIB)
    for held in (10_000, 200_000, 20_000, 150_000, 30_000):
        buffers.join(Held(held, told), 1)
    buffers.written()
    assert told == []
    fullness = Fullness(buffers)
    fullness.used = 900_000
    buffers.written()
    buffers.written()
    assert told == [200_000, 150_000]
    assert buffers.manager.get_buffer_size() == 1 * MIB
    fullness.used = 100_000
    buffers.written()
    fullness.used = 900_000
    buffers.written()
    assert told == [200_000, 150_000] * 2


class Fullness:
    """Stands in for RocksDB's count."""

    def __init__(self, buffers: WriteBuffers) -> None:
        self.used = 0
        self._manager = buffers.manager
        buffers.manager = self  # type: ignore[assignment]

    def get_usage(self) -> int:
        return self.used

    def get_buffer_size(self) -> int:
        return self._manager.get_buffer_size()

    def set_buffer_size(self, new_size: int) -> None:
        self._manager.set_buffer_size(new_size)
