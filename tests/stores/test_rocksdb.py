"""What only the state on disk can do or suffer: damage, locks, versions, threads."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from rocksdict import Options, Rdict

from stores import (
    KeyValueSpec,
    RocksDbResources,
    RocksDbTaskState,
    StateLockedError,
    StateVersionError,
    StoreClosedError,
    StoreCorruptError,
    StoreError,
    WindowSpec,
)
from stores.rocksdb.table import LARGEST_CHUNK
from tests.stores.backends import COUNTS, JSON, NAMES, WINDOWS, fill, key_values, values, windows

SPECS = [COUNTS, NAMES, WINDOWS]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "application" / "0_3"


def raw(path: Path) -> Rdict:
    """The database as anyone else would open it."""
    families = [name for name in Rdict.list_cf(str(path)) if name != "default"]
    return Rdict(str(path), Options(raw_mode=True), {name: Options(raw_mode=True) for name in families})


def close_raw(database: Rdict) -> None:
    for name in Rdict.list_cf(database.path()):
        if name != "default":
            database.get_column_family(name).close()
    database.close()


def test_open_makes_the_directory(path: Path, resources: RocksDbResources) -> None:
    with RocksDbTaskState.open(path, SPECS, resources) as state:
        assert state.place == str(path)
        assert path.is_dir()


def test_open_where_a_file_is_fails(path: Path, resources: RocksDbResources) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("not a directory")
    with pytest.raises(FileExistsError, match="0_3"):
        RocksDbTaskState.open(path, SPECS, resources)


def test_store_named_as_rocksdbs_own_family_is_refused(path: Path, resources: RocksDbResources) -> None:
    with pytest.raises(StoreError, match=r"'default'.*rename"):
        RocksDbTaskState.open(path, [KeyValueSpec("default", JSON)], resources)


def test_directory_held_by_another_process_is_locked(path: Path, resources: RocksDbResources) -> None:
    RocksDbTaskState.open(path, SPECS, resources).close()
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from pathlib import Path; from stores import *\n"
            "state = RocksDbTaskState.open(Path(sys.argv[1]), [], RocksDbResources())\n"
            "print('open', flush=True); sys.stdin.read()",
            str(path),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    with holder, holder.stdin:
        assert holder.stdout.readline() == b"open\n"
        with pytest.raises(StateLockedError, match=r"0_3 is in use by another process") as raised:
            RocksDbTaskState.open(path, SPECS, resources)
        assert raised.value.place == str(path)
    RocksDbTaskState.open(path, SPECS, resources).close()


def test_newer_format_is_refused_and_left_alone(path: Path, resources: RocksDbResources) -> None:
    with RocksDbTaskState.open(path, SPECS, resources) as state:
        fill(key_values(state), {b"a": 1})
        state.commit({})
    database = raw(path)
    database[b"format"] = bytes([0, 0, 0, 2])
    close_raw(database)
    with pytest.raises(StateVersionError, match=r"format 2.*up to format 1.*upgrade headrace") as raised:
        RocksDbTaskState.open(path, SPECS, resources)
    assert (raised.value.found, raised.value.supported) == (2, 1)
    database = raw(path)
    database[b"format"] = bytes([0, 0, 0, 1])
    close_raw(database)
    with RocksDbTaskState.open(path, SPECS, resources) as state:
        assert values(key_values(state).all()) == {b"a": 1}


def test_database_that_is_not_ours_is_refused(path: Path, resources: RocksDbResources) -> None:
    path.parent.mkdir(parents=True)
    database = Rdict(str(path), Options(raw_mode=True))
    database[b"something"] = b"else"
    database.close()
    with pytest.raises(StoreCorruptError, match="format row is missing"):
        RocksDbTaskState.open(path, SPECS, resources)


def committed(path: Path, resources: RocksDbResources, rows: int) -> None:
    with RocksDbTaskState.open(path, SPECS, resources) as state:
        fill(
            key_values(state), {b"%06d" % number: "%064x" % (number * 0x9E3779B97F4A7C15**3) for number in range(rows)}
        )
        state.commit({"counts": rows})


def damage(file: Path) -> None:
    """Overwrites the middle of a file."""
    with file.open("r+b") as data:
        data.seek(file.stat().st_size // 2)
        data.write(b"damaged!" * 64)


def test_damaged_block_is_an_error_of_every_read_not_a_short_scan(path: Path, resources: RocksDbResources) -> None:
    committed(path, resources, 20_000)
    damage(max(path.glob("*.sst"), key=lambda file: file.stat().st_size))
    with RocksDbTaskState.open(path, SPECS, RocksDbResources(clean_bytes=0)) as state:
        store = key_values(state)
        for reverse in (False, True):
            with pytest.raises(StoreCorruptError, match=r"0_3 is damaged: Corruption.*changelogs restore it"):
                list(store.all(reverse=reverse))
        with pytest.raises(StoreCorruptError):
            [store.get(b"%06d" % number) for number in range(20_000)]


@pytest.mark.parametrize("lost", ["MANIFEST-*", "CURRENT", "*.sst"])
def test_missing_file_is_corruption(path: Path, resources: RocksDbResources, lost: str) -> None:
    committed(path, resources, 1000)
    files = list(path.glob(lost))
    assert files
    for file in files:
        file.unlink()
    with pytest.raises(StoreCorruptError, match="Delete the directory"):  # noqa: SIM117 - either may find it
        with RocksDbTaskState.open(path, SPECS, resources) as state:
            list(key_values(state).all())


def test_damaged_manifest_is_corruption(path: Path, resources: RocksDbResources) -> None:
    committed(path, resources, 1000)
    (path / "CURRENT").write_bytes(b"garbage")
    with pytest.raises(StoreCorruptError):
        RocksDbTaskState.open(path, SPECS, resources)


def test_task_rows_survive_the_expiry_of_windows(path: Path, resources: RocksDbResources) -> None:
    with RocksDbTaskState.open(path, SPECS, resources) as state:
        fill(key_values(state), {b"": 1, b"\x00": 2})
        windows(state).put(b"a", 0, (1, 1))
        state.commit({"counts": 5}, {"": b"x"})
        windows(state).advance(10_000)
        state.commit({"windows": 6})
    with RocksDbTaskState.open(path, SPECS, resources) as state:
        assert state.positions == {"counts": 5, "windows": 6}
        assert state.metadata == {"": b"x"}
        assert values(key_values(state).all()) == {b"": 1, b"\x00": 2}
        assert list(windows(state).all()) == []


def test_unlogged_windows_expire_without_pending(path: Path, resources: RocksDbResources) -> None:
    spec = WindowSpec("windows", JSON, size_ms=10, retention_ms=100, segment_ms=30, logged=False)
    with RocksDbTaskState.open(path, [spec], resources) as state:
        for start in (0, 50):
            windows(state).put(b"a", start, (1, 1))
        state.commit({})
        windows(state).advance(140)
        state.commit({})
    remembers_more = WindowSpec("windows", JSON, size_ms=10, retention_ms=10_000)
    with RocksDbTaskState.open(path, [remembers_more], resources) as state:
        assert [window for window, _ in windows(state).all()] == [(b"a", 50)]


@pytest.mark.parametrize("rows", [0, 1, 7, 8, 9, 23, 24, 25, 3 * LARGEST_CHUNK])
def test_scans_of_any_length_are_whole(path: Path, resources: RocksDbResources, rows: int) -> None:
    with RocksDbTaskState.open(path, SPECS, resources) as state:
        fill(key_values(state), {b"%06d" % number: number for number in range(rows)} | {b"x": -1})
        state.commit({})
        for reverse in (False, True):
            found = [value for _, (value, _) in key_values(state).range(b"0", b"1", reverse=reverse)]
            assert found == sorted(range(rows), reverse=reverse)


def test_reader_on_another_thread_sees_whole_commits_and_the_close(path: Path, resources: RocksDbResources) -> None:
    state = RocksDbTaskState.open(path, SPECS, resources)
    reader = key_values(state).reader()
    keys = [b"%04d" % number for number in range(600)]
    sums: list[set[int]] = []
    failures: list[BaseException] = []
    scanned = threading.Event()

    def read() -> None:
        try:
            while True:
                sums.append({value for _, (value, _) in reader.all()})
                reader.get(keys[0])
                scanned.set()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    for step in range(30):
        fill(key_values(state), dict.fromkeys(keys, step))
        state.commit({})
        for _ in range(2):  # the first may have begun before the commit
            scanned.clear()
            assert scanned.wait(60)
    state.close()
    thread.join(60)
    assert not thread.is_alive()
    assert [type(failure) for failure in failures] == [StoreClosedError]
    assert all(len(seen) <= 1 for seen in sums), "a scan saw half a commit"
    assert {29} in sums
    RocksDbTaskState.open(path, SPECS, resources).close()


def test_reader_while_the_close_is_under_way_sees_a_closed_store(tmp_path: Path) -> None:
    outcomes: set[type[BaseException]] = set()
    for number in range(10):
        state = RocksDbTaskState.open(tmp_path / str(number), SPECS, RocksDbResources())
        fill(key_values(state), {b"a": 1})
        state.commit({})
        reader = key_values(state).reader()
        started = threading.Event()

        def read(reader: Any = reader, started: threading.Event = started) -> None:
            try:
                while True:
                    reader.get(b"a")
                    started.set()
            except BaseException as error:
                outcomes.add(type(error))

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        assert started.wait(20)
        state.close()
        thread.join(20)
    assert outcomes == {StoreClosedError}


def test_many_small_states_do_not_fill_the_write_buffers(tmp_path: Path) -> None:
    resources = RocksDbResources()
    states = [RocksDbTaskState.open(tmp_path / str(number), SPECS, resources) for number in range(20)]
    for state in states:
        for name in ("counts", "names"):
            fill(key_values(state, name), {b"a": 1})
        state.commit({"counts": 1})
    assert resources.write_buffer_used_bytes < 0.2 * resources.write_buffer_bytes
    for state in states:
        state.close()


def test_defaults_of_the_resources() -> None:
    resources = RocksDbResources()
    assert resources.block_cache_bytes == resources.write_buffer_bytes == 64 * 2**20
