"""The cleaner's work in its own process, and its end."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from pathlib import Path

import pytest

from broker.compaction.cleaner import LogCleaner
from broker.compaction.process import CleanerProcess
from broker.log.partition import PartitionLog
from broker.protocol.batches import CorruptBatchError
from tests.broker.compaction.passes import LocalWorker, compact, latest, read_all
from tests.broker.compaction.test_clean import EAGER, put
from tests.broker.log.partitions import NOW, open_partition


def write(directory: Path) -> PartitionLog:
    log = open_partition(directory, segment_bytes="400", delete_retention_ms="10", **EAGER)
    for number in range(40):
        put(log, (f"k{number % 7}", None if number % 5 == 0 else f"v{number}"))
    return log


def folders(directory: Path) -> list[Path]:
    return [path for path in directory.iterdir() if path.is_dir()]


def process_of(worker: CleanerProcess) -> int:
    assert worker.process is not None
    return worker.process.pid


def test_process_leaves_the_same_as_the_work_done_here(tmp_path: Path) -> None:
    """Two passes over two logs; the second drops tombstones."""

    async def run(*logs: PartitionLog) -> None:
        for now in (NOW, NOW + 20):
            for log in logs:
                put(log, ("k1", f"{now}"))
                log.roll()
                put(log, ("z", "z"))
            cleaner = LogCleaner(
                logs, clock=lambda now=now: now, backoff_ms=1, map_bytes=1 << 20, worker=CleanerProcess()
            )
            assert await cleaner.clean_all() == len(logs)
            await cleaner.close()

    far = [write(tmp_path / name) for name in "ab"]
    asyncio.run(run(*far))
    here = write(tmp_path / "c")
    for now in (NOW, NOW + 20):
        put(here, ("k1", f"{now}"))
        here.roll()
        put(here, ("z", "z"))
        compact(here, now=now)
    files = [
        {path.name: path.read_bytes() for path in log.directory.iterdir() if path.is_file()} for log in (*far, here)
    ]
    assert files[0] == files[1] == files[2]


def test_process_reports_damage_and_failure_and_goes_on(tmp_path: Path) -> None:
    log = write(tmp_path / "t-0")
    worker, local = CleanerProcess(), LocalWorker()
    compact(log, worker=local)
    cleaning = local.cleanings[0]
    shutil.rmtree(log.directory)
    with pytest.raises(FileNotFoundError):
        worker.begin(cleaning)
    pid = process_of(worker)
    damaged = write(tmp_path / "t-1")
    path = damaged.segments[1].path
    content = bytearray(path.read_bytes())
    content[61] = 0x7F
    path.write_bytes(content)
    local = LocalWorker()
    compact(damaged, worker=local)
    with pytest.raises(CorruptBatchError, match="no sound batch at position 0"):
        worker.begin(local.cleanings[0])
    assert process_of(worker) == pid
    worker.close()


def test_death_of_the_process_leaves_the_log_for_the_next_round(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = write(tmp_path)
    before = latest(read_all(log))

    class Mortal(CleanerProcess):
        kills = 1

        def proceed(self) -> object:
            if self.kills:
                self.kills -= 1
                os.kill(process_of(self), signal.SIGKILL)
            return super().proceed()

    async def run() -> None:
        worker = Mortal()
        cleaner = LogCleaner([log], clock=lambda: NOW, backoff_ms=1, map_bytes=1 << 20, worker=worker)
        await cleaner.clean_all()
        assert "not compacted, the next try is in 1 ms" in caplog.text
        assert "the cleaner's process" in caplog.text
        assert folders(tmp_path) == []
        assert await cleaner.clean_all() == 1
        await cleaner.close()

    asyncio.run(run())
    assert latest(read_all(log)) == before
    assert len(read_all(log)) < 20


@pytest.mark.parametrize("turns", range(8))
def test_close_in_the_midst_of_a_pass_ends_the_process_and_leaves_nothing(tmp_path: Path, turns: int) -> None:
    """Whatever is under way: the start of the process, its work, a swap."""
    log = write(tmp_path)
    before = latest(read_all(log))

    async def run() -> CleanerProcess:
        worker = CleanerProcess()
        cleaner = LogCleaner([log], clock=lambda: NOW, backoff_ms=0, map_bytes=1 << 20, worker=worker)
        cleaner.start()
        for _ in range(turns):
            await asyncio.sleep(0)
        await cleaner.close()
        return worker

    worker = asyncio.run(run())
    assert worker.process is None
    assert latest(read_all(log)) == before
    assert folders(tmp_path) == []


def test_process_ends_when_its_broker_is_gone(tmp_path: Path) -> None:
    worker = CleanerProcess()
    local = LocalWorker()
    compact(write(tmp_path / "t-0"), worker=local)
    shutil.rmtree(tmp_path / "t-0")
    with pytest.raises(FileNotFoundError):
        worker.begin(local.cleanings[0])
    process = worker.process
    assert process is not None
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(10) == 0
    worker.close()
