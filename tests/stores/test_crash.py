"""kill -9 at any moment leaves stores that agree with the position recorded with them."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

from stores import MemoryTaskState, RocksDbResources, RocksDbTaskState
from tests.stores.backends import key_values, session_store, windows
from tests.stores.crash_writer import SPECS, take_step

ROUNDS = 12


def run_and_kill(path: Path, steps: int, bytes_more: int) -> int:
    """Runs the writer for so many steps, kills it in the middle of what it then does; the last position it told of."""
    command = [sys.executable, "-m", "tests.stores.crash_writer", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as writer:
        assert writer.stdout is not None
        told = int(writer.stdout.readline().split()[1])
        for _ in range(steps):
            told = int(writer.stdout.readline())
        for _ in range(bytes_more):  # the kill falls anywhere within a step, as reading goes on beside it
            writer.poll()
        writer.kill()
        for line in writer.stdout:
            if line.endswith(b"\n"):
                told = int(line)
    return told


def test_killed_writer_leaves_rows_that_agree_with_the_position(tmp_path: Path) -> None:
    path = tmp_path / "0_0"
    randomness = random.Random(20)
    resources = RocksDbResources()
    expected = MemoryTaskState.open(SPECS)
    at = 0
    for _ in range(ROUNDS):
        told = run_and_kill(path, randomness.randrange(1, 60), randomness.randrange(0, 400))
        with RocksDbTaskState.open(path, SPECS, resources) as state:
            position = state.positions["counts"]
            assert position >= told, "a commit that had returned is lost"
            assert set(state.positions.values()) == {position}
            assert state.metadata == {"step": b"%d" % position}
            while at < position:
                take_step(expected, at)
                at += 1
                expected.commit({})
            for name in ("counts", "names"):
                assert list(key_values(state, name).all()) == list(key_values(expected, name).all())
            assert windows(state).time == windows(expected).time
            assert list(windows(state).all()) == list(windows(expected).all())
            assert list(session_store(state).all()) == list(session_store(expected).all())
    assert at > ROUNDS
