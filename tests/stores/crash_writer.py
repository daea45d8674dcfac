"""The program that the crash test kills: commits steps to a task state as fast as it can.

Step n of the changelog is a pure function of n, so the test can tell what the stores must hold at any position. The
program says each position once its commit has returned.

    python -m tests.stores.crash_writer DIRECTORY
"""

from __future__ import annotations

import sys
from pathlib import Path

from stores import RocksDbResources, RocksDbTaskState, TaskState
from tests.stores.backends import COUNTS, NAMES, SESSIONS, WINDOWS, key_values, session_store, windows

SPECS = [COUNTS, NAMES, WINDOWS, SESSIONS]
ROWS_PER_STEP = 40
KEYS = 300
GAP = 3
PADDING = "x" * 100


def take_step(state: TaskState, step: int) -> None:
    """Writes step number `step` to all stores, deletions and window expiry among it, without committing."""
    counts, names, hours = key_values(state, "counts"), key_values(state, "names"), windows(state)
    visits = session_store(state)
    for number in range(ROWS_PER_STEP):
        key = b"%03d" % ((step * 7 + number) % KEYS)
        counts.put(key, (step, step))
        names.put(key, None if (step + number) % 5 == 0 else (f"{step}{PADDING}", step))
        hours.put(key, step, (step, step))
        before = list(visits.find(key, step - GAP, step))
        for (start, end), _ in before:
            visits.remove(key, start, end)
        visits.put(key, before[0][0][0] if before else step, step, (len(before), step))
    hours.advance(step)
    visits.advance(step)


def main() -> None:
    path = Path(sys.argv[1])
    with RocksDbTaskState.open(path, SPECS, RocksDbResources(write_buffer_bytes=256 * 1024)) as state:
        step = state.positions.get("counts", 0)
        print("open", step, flush=True)
        while True:
            take_step(state, step)
            step += 1
            for name in state.stores:
                list(state.pending(name))
            state.commit(dict.fromkeys(state.stores, step), {"step": b"%d" % step})
            print(step, flush=True)


if __name__ == "__main__":
    main()
