"""Old state goes, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from streams.plan.task_id import TaskId
from streams.runtime.state_cleanup import StateCleanup

HOLD_LOCK = """
import fcntl, os, sys
lock = os.open(sys.argv[1], os.O_RDWR)
fcntl.lockf(lock, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


class Disk:
    """Task directories with a time, and a clock that is moved by hand."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = 1_000_000.0
        self.cleanup = StateCleanup(path, delay_s=600, wall_clock=lambda: self.now)

    def put(self, name: str, *, written_at: float) -> Path:
        import os

        directory = self.path / name
        directory.mkdir()
        for file in ("LOCK", "000004.log"):
            (directory / file).write_bytes(b"")
            os.utime(directory / file, (written_at, written_at))
        os.utime(directory, (written_at, written_at))
        return directory

    def left(self) -> list[str]:
        return sorted(path.name for path in self.path.iterdir())


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path)


def test_state_nobody_wrote_for_the_delay_is_deleted(disk: Disk) -> None:
    disk.put("0_1", written_at=disk.now)
    disk.put("0_2", written_at=disk.now + 500)
    disk.now += 700
    assert disk.cleanup.run_when_due([]) == [TaskId(0, 1)]
    assert disk.left() == ["0_2"]


def test_state_of_own_tasks_and_other_files_are_kept(disk: Disk) -> None:
    disk.put("0_1", written_at=0)
    disk.put("backup", written_at=0)
    (disk.path / "worker-0.lock").write_bytes(b"")
    disk.now += 700
    assert disk.cleanup.run_when_due([TaskId(0, 1)]) == []
    assert disk.left() == ["0_1", "backup", "worker-0.lock"]


def test_state_found_at_the_start_has_time_to_be_claimed(disk: Disk) -> None:
    disk.put("0_1", written_at=0)
    disk.now += 599
    assert disk.cleanup.run_when_due([]) == []


def test_state_open_in_another_process_is_kept(disk: Disk) -> None:
    directory = disk.put("0_1", written_at=0)
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD_LOCK, str(directory / "LOCK")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdout is not None
    assert other.stdout.readline() == b"held\n"
    disk.now += 700
    assert disk.cleanup.run_when_due([]) == []
    assert disk.left() == ["0_1"]
    other.communicate()
    disk.now += 100
    assert disk.cleanup.run_when_due([]) == [TaskId(0, 1)]
